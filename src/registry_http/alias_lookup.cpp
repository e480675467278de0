#include "registry_http/alias_lookup.hpp"

#include <algorithm>
#include <optional>

#include "base/strings.hpp"
#include "registry_http/read_call.hpp"

namespace registry_http {

namespace {

struct AliasQuery {
    std::optional<std::string> name;
    std::optional<std::string> alias;
};

std::string form_decode(std::string_view text) {
    std::string spaced(text);
    std::ranges::replace(spaced, '+', ' ');
    return base::percent_decode(spaced);
}

// Nothing unless it is one name, one alias and nothing else.
std::optional<AliasQuery> parse_alias_query(std::string_view query) {
    AliasQuery parsed;
    while (const std::optional<std::string_view> part = base::next_part(query, '&')) {
        const std::size_t equals = part->find('=');
        const std::string_view key = part->substr(0, equals);
        std::optional<std::string>* const value = key == "name"    ? &parsed.name
                                                  : key == "alias" ? &parsed.alias
                                                                   : nullptr;
        if (value == nullptr || value->has_value() || equals == std::string_view::npos) {
            return std::nullopt;
        }
        value->emplace(form_decode(part->substr(equals + 1)));
    }
    return parsed.name && parsed.alias ? std::optional(std::move(parsed)) : std::nullopt;
}

}  // namespace

std::shared_ptr<const std::string> find_alias_answer(const registry::AliasIndex& index,
                                                     const http::RequestHead& request,
                                                     std::string_view target) {
    const bool has_body = request.framing.kind != http::Framing::Kind::none;
    if (has_body || registry_operation(request, target) != registry::Operation::get_version_by_alias) {
        return nullptr;
    }
    const std::size_t question = std::min(target.find('?'), target.size());
    const std::optional<AliasQuery> query = parse_alias_query(target.substr(std::min(question + 1, target.size())));
    return query ? index.find(workspace_of(request), *query->name, *query->alias) : nullptr;
}

}  // namespace registry_http
