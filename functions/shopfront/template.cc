#include "functions/shopfront/template.h"

#include <set>
#include <stdexcept>

namespace shop {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";

[[noreturn]] void fail(const std::string& reason) {
  throw std::logic_error("render template: " + reason);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string render(std::string_view text, const TemplateValues& values) {
  std::string out;
  std::set<std::string_view> used;
  for (std::size_t open = 0; (open = text.find(kOpen)) != text.npos;) {
    out += text.substr(0, open);
    const std::size_t close = text.find(kClose, open);
    if (close == text.npos) fail("a place does not end");
    std::string_view name = text.substr(open + kOpen.size(), close - open - kOpen.size());
    const bool as_it_stands = name.starts_with('&');
    if (as_it_stands) name.remove_prefix(1);
    const auto value = values.find(name);
    if (value == values.end()) fail("there is no value of " + std::string(name));
    out += as_it_stands ? value->second : escaped(value->second);
    used.insert(value->first);
    text.remove_prefix(close + kClose.size());
  }
  if (used.size() != values.size()) fail("a value has no place");
  return out.append(text);
}

}  // namespace shop
