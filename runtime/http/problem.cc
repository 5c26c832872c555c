#include "runtime/http/problem.h"

#include "runtime/http/message.h"

namespace subito::http {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// The well-formed sequences by their first byte (Unicode 15, table 3-7): how many bytes they have
// and what the second one may be, which rules out overlong forms and surrogates.
struct Utf8Form {
  unsigned char first_low, first_high, second_low, second_high;
  std::size_t size;
};
constexpr Utf8Form kUtf8Forms[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

bool has_form(std::string_view text, const Utf8Form& form) {
  const auto in = [&](std::size_t at, unsigned char low, unsigned char high) {
    const auto byte = static_cast<unsigned char>(text[at]);
    return byte >= low && byte <= high;
  };
  if (text.size() < form.size || !in(0, form.first_low, form.first_high)) return false;
  if (!in(1, form.second_low, form.second_high)) return false;
  for (std::size_t i = 2; i < form.size; ++i) {
    if (!in(i, 0x80, 0xbf)) return false;
  }
  return true;
}

// How many bytes the UTF-8 sequence at the front has; 0 if it is none.
std::size_t utf8_size(std::string_view text) {
  if (static_cast<unsigned char>(text.front()) < 0x80) return 1;
  for (const Utf8Form& form : kUtf8Forms) {
    if (has_form(text, form)) return form.size;
  }
  return 0;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      break;
  }
  const auto value = static_cast<unsigned char>(c);
  if (value >= 0x20 && value != 0x7f) {
    out.push_back(c);
    return;
  }
  out.append("\\u00");
  out.push_back(kHex[value >> 4]);
  out.push_back(kHex[value & 15]);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const std::size_t size = utf8_size(text);
    if (size == 1) {
      append_escaped(out, text.front());
    } else {
      out.append(size == 0 ? kReplacement : text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out.push_back('"');
}

std::string problem_json(int status, std::string_view type, std::string_view detail) {
  std::string out = "{\"type\":";
  append_json_string(out,
                     type.empty() ? "about:blank" : std::string(kProblemTypePrefix).append(type));
  out.append(",\"title\":");
  append_json_string(out, reason_phrase(status));
  out.append(",\"status\":").append(std::to_string(status));
  if (!detail.empty()) {
    out.append(",\"detail\":");
    append_json_string(out, detail);
  }
  out.append("}\n");
  return out;
}

}  // namespace subito::http
