// Templates of HTML: {{name}} becomes its value, escaped; {{&name}} becomes it as it stands, for
// HTML that was made by a template before. Nothing else has a meaning. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace shop {

// For text between tags and for attributes in quotes.
std::string escaped(std::string_view text);

using TemplateValues = std::map<std::string, std::string, std::less<>>;

// Throws std::logic_error for a name without a value, a value without a place, and a place that
// does not end.
std::string render(std::string_view text, const TemplateValues& values);

}  // namespace shop
