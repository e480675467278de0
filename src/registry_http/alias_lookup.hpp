// Alias look-ups answered from memory, without SQL and without another thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "registry/alias_index.hpp"

namespace registry_http {

struct AliasQuestion {
    std::string name;  // of the model
    std::string alias;
};

// What a plain look-up of an alias asks. Nothing: it is another call, or is written in some other way.
std::optional<AliasQuestion> alias_question(const http::RequestHead& request, std::string_view target);

// The answer's body when the request is a plain look-up of an alias that is in the index. Null: ask the registry, which
// knows `latest`, what is missing, and every way to write the call.
std::shared_ptr<const std::string> find_alias_answer(const registry::AliasIndex& index,
                                                     const http::RequestHead& request,
                                                     std::string_view target);

}  // namespace registry_http
