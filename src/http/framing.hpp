// Where one message ends and the next begins: the rules against request smuggling.
#pragma once

#include "base/error.hpp"
#include "http/message.hpp"

namespace http {

// Sets `head.framing` by RFC 9112, section 6.3, or refuses with invalid_argument what two parsers could read
// differently: Transfer-Encoding that is not exactly "chunked", or on HTTP/1.0, or beside Content-Length;
// Content-Length that is repeated or not plain digits; Host missing or repeated on HTTP/1.1; a target that is not a
// path, `*` with OPTIONS, or an http URL of the same host. Run it before anything else looks at the request.
base::Result<void> validate_framing(RequestHead& head);

// The same for an upstream's answer to a request with `method`. Equal Content-Length fields count as one.
base::Result<void> validate_framing(ResponseHead& head, Method method);

}  // namespace http
