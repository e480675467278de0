#include "registry_http/alias_lookup.hpp"

#include <algorithm>
#include <optional>

#include "base/strings.hpp"
#include "registry_http/read_call.hpp"

namespace registry_http {

namespace {

std::string form_decode(std::string_view text) {
    std::string spaced(text);
    std::ranges::replace(spaced, '+', ' ');
    return base::percent_decode(spaced);
}

// Nothing unless it is one name, one alias and nothing else.
std::optional<AliasQuestion> parse_alias_query(std::string_view query) {
    std::optional<std::string> name;
    std::optional<std::string> alias;
    while (const std::optional<std::string_view> part = base::next_part(query, '&')) {
        const std::size_t equals = part->find('=');
        const std::string_view key = part->substr(0, equals);
        std::optional<std::string>* const value = key == "name" ? &name : key == "alias" ? &alias : nullptr;
        if (value == nullptr || value->has_value() || equals == std::string_view::npos) {
            return std::nullopt;
        }
        value->emplace(form_decode(part->substr(equals + 1)));
    }
    return name && alias ? std::optional(AliasQuestion{*std::move(name), *std::move(alias)}) : std::nullopt;
}

}  // namespace

std::optional<AliasQuestion> alias_question(const http::RequestHead& request, std::string_view target) {
    const bool has_body = request.framing.kind != http::Framing::Kind::none;
    if (has_body || registry_operation(request, target) != registry::Operation::get_version_by_alias) {
        return std::nullopt;
    }
    const std::size_t question = std::min(target.find('?'), target.size());
    return parse_alias_query(target.substr(std::min(question + 1, target.size())));
}

std::shared_ptr<const std::string> find_alias_answer(const registry::AliasIndex& index,
                                                     const http::RequestHead& request,
                                                     std::string_view target) {
    const std::optional<AliasQuestion> asked = alias_question(request, target);
    return asked ? index.find(workspace_of(request), asked->name, asked->alias) : nullptr;
}

}  // namespace registry_http
