// Fuzzes the request parser with one property: the same bytes, whole or in pieces, give the same
// events. The first byte chooses the size of the pieces. Whatever passes must also be written and
// read again by us without a change of meaning.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runtime/http/path.h"
#include "runtime/http/request_parser.h"
#include "runtime/http/writer.h"

namespace subito::http {
namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_round_trip(const RequestHead& head) {
  if (head.path == "*" || head.host.empty()) return;
  std::string bytes;
  require(append_request_head(bytes, head).has_value());
  std::string_view input = bytes;
  ParserLimits limits;
  limits.head_bytes_max = limits.target_bytes_max = bytes.size();
  RequestParser again(limits);
  require(again.next(input) == Event::kHead);
  require(again.head().method == head.method && again.head().path == head.path);
  require(again.head().query == head.query && again.head().host == head.host);
  require(again.head().chunked == head.chunked);
  require(again.head().content_length == head.content_length);
}

void check_path(const std::string& path) {
  const auto plain = normalize_path(path);
  if (!plain) return;
  require(plain->front() == '/' && plain->find("/../") == std::string::npos);
  require(*normalize_path(*plain) == *plain);
}

std::string transcript(std::string_view bytes, std::size_t step) {
  ParserLimits limits{2048, 16, 512, 4096};
  RequestParser parser(limits);
  std::string out;
  while (!bytes.empty()) {
    std::string_view input = bytes.substr(0, step);
    bytes.remove_prefix(input.size());
    for (Event event = parser.next(input); event != Event::kMore; event = parser.next(input)) {
      if (event == Event::kRejected) return out.append(parser.rejection().reason);
      if (event == Event::kEnd) out += "]";
      if (event == Event::kBody) out += parser.body();
      if (event != Event::kHead) continue;
      const RequestHead& head = parser.head();
      check_round_trip(head);
      check_path(head.path);
      out += head.method + " " + head.path + "?" + head.query + "@" + head.host;
      for (const auto& [name, value] : head.fields) out += "\n" + name + ":" + value;
      out += parser.keep_alive() ? "+[" : "-[";
    }
    require(input.empty());
  }
  return out;
}

}  // namespace
}  // namespace subito::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = subito::http::transcript(input, input.size());
  subito::http::require(subito::http::transcript(input, 1) == whole);
  subito::http::require(subito::http::transcript(input, 1 + data[0]) == whole);
  return 0;
}
