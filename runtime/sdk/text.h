// Small text helpers of the SDK: JSON strings, percent-encoding, case. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace subito::sdk {

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// "%41" becomes "A"; a "%" that begins no escape stays. `plus_is_space`: as in a query.
std::string percent_decode(std::string_view text, bool plus_is_space);

std::string lower_case(std::string_view text);
bool equal_without_case(std::string_view a, std::string_view b);

// A method or the name of a header field: RFC 9110, 5.6.2.
bool is_token(std::string_view text);
// The value of a header field: no control character but tab.
bool is_field_value(std::string_view text);
// A path with its query: begins with "/", visible ASCII only.
bool is_target(std::string_view text);

// A whole decimal number without sign, or nothing.
std::optional<std::uint64_t> parse_number(std::string_view text);

// "Not Found"; "Status 299" where HTTP has no name for it.
std::string status_title(int status);

}  // namespace subito::sdk
