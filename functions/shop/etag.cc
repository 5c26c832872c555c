#include "functions/shop/etag.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <utility>

namespace shop {
namespace {

using subito::HttpError;
using subito::Request;
using subito::Response;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Weak comparison, as If-None-Match has it: W/"7" is "7". Our tags hold no comma.
bool names(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view tag = trimmed(list.substr(0, comma));
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == "*" || tag == etag) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// Strong comparison, as If-Match has it: a weak tag matches nothing.
std::optional<std::int64_t> version_of_tag(std::string_view tag) {
  if (tag.size() <= 2 || tag.front() != '"' || tag.back() != '"') return std::nullopt;
  std::int64_t version = 0;
  const char* const end = tag.data() + tag.size() - 1;
  const auto [stop, error] = std::from_chars(tag.data() + 1, end, version);
  if (error != std::errc() || stop != end || version <= 0) return std::nullopt;
  return version;
}

// FNV-1a of 64 bits, of all pieces in a row.
std::string etag_of_bytes(std::initializer_list<std::string_view> pieces) {
  std::uint64_t hash = 14695981039346656037U;
  for (const std::string_view piece : pieces) {
    for (const char byte : piece) {
      hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211U;
    }
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string etag = "\"";
  for (int shift = 60; shift >= 0; shift -= 4) etag += kDigits[(hash >> shift) & 15];
  return etag + "\"";
}

}  // namespace

std::string etag_of_version(std::int64_t version) {
  return "\"" + std::to_string(version) + "\"";
}

std::vector<std::int64_t> versions_of_if_match(const Request& request) {
  const auto given = request.header("if-match");
  if (!given) {
    throw HttpError(428, "if-match-missing",
                    "a change needs the header If-Match with the ETag that GET answers");
  }
  if (trimmed(*given) == "*") return {};
  std::vector<std::int64_t> versions;
  for (std::string_view list = *given; !list.empty();) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (const auto version = version_of_tag(trimmed(list.substr(0, comma)))) {
      versions.push_back(*version);
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  if (!versions.empty()) return versions;
  throw HttpError(412, "version-changed",
                  "If-Match names no version there ever was: take the ETag of GET");
}

Response tagged(const Request& request, Response answer, const std::string& etag) {
  const auto known = request.header("if-none-match");
  if (known && names(*known, etag)) return Response(304).header("etag", etag);
  return std::move(answer).header("etag", etag);
}

Response tagged(const Request& request, Response answer) {
  // Where a list goes on may change while what is on the page does not.
  const auto link = answer.headers().get("link");
  const std::string etag =
      link ? etag_of_bytes({answer.body(), "\n", *link}) : etag_of_bytes({answer.body()});
  return tagged(request, std::move(answer), etag);
}

}  // namespace shop
