#include "runtime/http/path.h"

#include <algorithm>
#include <optional>

#include "runtime/http/characters.h"

namespace subito::http {
namespace {

// The byte that the escape at the front stands for.
std::optional<char> escaped_byte(std::string_view text) {
  if (text.size() < 3 || !is(kHexChar, text[1]) || !is(kHexChar, text[2])) return std::nullopt;
  const char byte = static_cast<char>(hex_value(text[1]) * 16 + hex_value(text[2]));
  if (byte == '\0') return std::nullopt;
  return byte;
}

bool is_unreserved(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

Result<std::string> normalize_escapes(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out.push_back(path[i]);
      continue;
    }
    const auto byte = escaped_byte(path.substr(i));
    if (!byte) return fail(ErrorCode::kInvalidArgument, "read path: malformed percent-encoding");
    if (is_unreserved(*byte)) {
      out.push_back(*byte);
    } else {
      append_escape(out, *byte);
    }
    i += 2;
  }
  return out;
}

}  // namespace

void append_escape(std::string& out, char byte) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(byte);
  out += {'%', kHex[value >> 4], kHex[value & 15]};
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      append_escape(out, c);
    }
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const auto byte = escaped_byte(text.substr(i));
    if (!byte) return fail(ErrorCode::kInvalidArgument, "decode text: malformed percent-encoding");
    out.push_back(*byte);
    i += 2;
  }
  return out;
}

std::string percent_decode_leniently(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && is(kHexChar, text[i + 1]) &&
                        is(kHexChar, text[i + 2]);
    out +=
        escape ? static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

Result<std::string> normalize_path(std::string_view path) {
  if (path.empty() || path.front() != '/') {
    return fail(ErrorCode::kInvalidArgument, "read path: it does not begin with /");
  }
  ASSIGN_OR_RETURN(const std::string plain, normalize_escapes(path));
  std::string out;
  std::size_t at = 0;
  while (at < plain.size()) {  // plain[at] is the "/" before a segment
    const std::size_t end = std::min(plain.find('/', at + 1), plain.size());
    const std::string_view segment = std::string_view(plain).substr(at + 1, end - at - 1);
    const bool last = end == plain.size();
    if (segment == "..") {
      if (out.empty()) return fail(ErrorCode::kInvalidArgument, "read path: above the root");
      out.resize(out.rfind('/'));
    }
    if (segment != "." && segment != "..") {
      out.append("/").append(segment);
    } else if (last) {
      out.push_back('/');
    }
    at = end;
  }
  return out;
}

}  // namespace subito::http
