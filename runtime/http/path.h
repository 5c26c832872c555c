// Percent-encoding and dot segments, so that a path means the same to whoever routes it and to
// whoever serves it. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace subito::http {

// Each %XX becomes its byte. kInvalidArgument for a malformed one and for %00, which would cut
// the text where C code reads it. "+" stays: it is a space in forms only.
Result<std::string> percent_decode(std::string_view text);

// The same as a function's Router reads it: what is malformed stays as it is, %00 is a byte.
std::string percent_decode_leniently(std::string_view text);

// Appends "%XX", with upper-case digits.
void append_escape(std::string& out, char byte);
// What is not unreserved (RFC 3986, 2.3) is escaped: for a segment, or a value in a query.
std::string percent_encode(std::string_view text);

// The one spelling of a path (RFC 3986, 6.2.2): encoded unreserved bytes are decoded, other
// escapes get upper-case digits, "." and ".." segments are resolved. "%2f" stays as it is: it
// separates nothing. kInvalidArgument for a path that does not begin with "/", has a malformed
// escape or %00, or climbs above the root.
Result<std::string> normalize_path(std::string_view path);

}  // namespace subito::http
