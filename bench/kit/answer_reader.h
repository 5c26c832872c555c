// AnswerReader: whether the bytes of a connection are the one answer that is expected, status and
// body. Made for generators: nothing is allocated for an answer that comes in one piece, and no
// field but Content-Length is looked at. Owned by the connection; one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace subito::bench {

struct Expected {
  int status = 200;
  std::string body;
};

class AnswerReader {
 public:
  // `expected` outlives the reader.
  explicit AnswerReader(const Expected& expected) : expected_(&expected) {}

  enum class Outcome {
    kMore,   // not whole yet
    kRight,  // whole and as expected; ready for the next one
    kWrong,  // fault() says why; of no more use
  };
  // The next bytes. More than one answer is wrong: only one was asked for. So is one without
  // Content-Length: chunks are not read.
  Outcome take(std::string_view bytes);
  const std::string& fault() const { return fault_; }

  static constexpr std::size_t kHeadBytesMax = 32 << 10;

 private:
  Outcome judge(std::string_view answer);
  Outcome wrong(std::string reason);

  const Expected* expected_;
  std::string pieces_;  // of an answer that did not come in one
  std::string fault_;
};

}  // namespace subito::bench
