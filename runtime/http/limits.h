// What the parsers accept at most, and how they say no. Plain values, no thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace subito::http {

struct ParserLimits {
  std::size_t head_bytes_max = 32 << 10;      // start line and fields together; 431 beyond
  std::size_t headers_max = 100;              // 431 beyond
  std::size_t target_bytes_max = 8 << 10;     // 414 beyond
  std::uint64_t body_bytes_max = 1ULL << 40;  // 413 beyond
};

// Extensions and trailers are read and dropped; nobody has a use for more of them.
constexpr std::size_t kChunkLineBytesMax = 256;           // one size line, extensions included
constexpr std::size_t kChunkExtensionBytesMax = 4 << 10;  // all extensions of one body
constexpr std::size_t kTrailerBytesMax = 4 << 10;
constexpr std::size_t kTrailersMax = 32;
constexpr int kEmptyLinesMax = 2;  // before a start line: RFC 9112, 2.2

// Why a message is refused: the status to answer with before closing (a client that parses an
// answer ignores it), and a reason for people, which is static text.
struct Rejection {
  int status = 0;
  std::string_view reason;
};

// What the next bytes were.
enum class Event {
  kMore,      // nothing whole yet: all input is taken, come again with more
  kHead,      // a head is complete
  kBody,      // a piece of the body
  kEnd,       // the message is complete; the input stands where the next one begins
  kRejected,  // final: the stream cannot be trusted from here on
};

}  // namespace subito::http
