// Fuzzes the answer parser: the same bytes, whole or in pieces, give the same events. Of the first
// byte one bit says whether HEAD was asked, the others are the size of the pieces.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runtime/http/response_parser.h"

namespace subito::http {
namespace {

std::string transcript(std::string_view bytes, std::size_t step, bool asked_head) {
  ResponseParser parser({2048, 16, 512, 4096});
  if (asked_head) parser.expect_no_body();
  std::string out;
  while (!bytes.empty()) {
    std::string_view input = bytes.substr(0, step);
    bytes.remove_prefix(input.size());
    for (Event event = parser.next(input); event != Event::kMore; event = parser.next(input)) {
      if (event == Event::kRejected) return out.append(parser.rejection().reason);
      if (event == Event::kEnd) out += "]";
      if (event == Event::kBody) out += parser.body();
      if (event != Event::kHead) continue;
      out += std::to_string(parser.head().status);
      for (const auto& [name, value] : parser.head().fields) out += "\n" + name + ":" + value;
      out += parser.keep_alive() ? "+[" : "-[";
    }
    if (!input.empty()) std::abort();
  }
  return out + std::to_string(static_cast<int>(parser.finish()));
}

}  // namespace
}  // namespace subito::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool asked_head = (data[0] & 1) != 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = subito::http::transcript(input, input.size(), asked_head);
  if (subito::http::transcript(input, 1, asked_head) != whole) std::abort();
  if (subito::http::transcript(input, 1 + data[0] / 2U, asked_head) != whole) std::abort();
  return 0;
}
