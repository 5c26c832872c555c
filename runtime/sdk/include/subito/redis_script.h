// RedisScript: a Lua script that Redis::eval() runs by its SHA-1, so that its text is sent and
// hashed once, not with each run.
//
//   constexpr subito::RedisScript kTake(R"(return redis.call('LPOP', KEYS[1]))");
//   redis.eval(kTake, {redis.key("jobs")}, {});
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace subito {

class RedisScript {
 public:
  // `text` outlives the script: a literal. As a constexpr it costs nothing at run time.
  explicit constexpr RedisScript(std::string_view text) : text_(text), sha1_(digest(text)) {}

  constexpr std::string_view text() const { return text_; }
  // 40 hexadecimal digits, as SCRIPT LOAD answers.
  constexpr std::string_view sha1() const { return {sha1_.data(), sha1_.size()}; }

 private:
  static constexpr std::size_t kBlockBytes = 64;
  static constexpr std::size_t kLengthBytes = 8;
  using State = std::array<std::uint32_t, 5>;
  using Digits = std::array<char, 40>;

  // Byte `i` of the padded message: the text, 0x80, zeros, its length in bits (FIPS 180-4, 5.1.1).
  static constexpr std::uint32_t byte_at(std::string_view text, std::size_t i, std::size_t padded) {
    if (i < text.size()) return static_cast<unsigned char>(text[i]);
    if (i == text.size()) return 0x80;
    if (i < padded - kLengthBytes) return 0;
    const std::uint64_t bits = std::uint64_t{text.size()} * 8;
    return static_cast<std::uint32_t>(bits >> (8 * (padded - 1 - i))) & 0xff;
  }

  // FIPS 180-4, 4.1.1 and 4.2.1.
  static constexpr std::uint32_t mix(std::size_t round, const State& s) {
    if (round < 20) return ((s[1] & s[2]) | (~s[1] & s[3])) + 0x5a827999U;
    if (round < 40) return (s[1] ^ s[2] ^ s[3]) + 0x6ed9eba1U;
    if (round < 60) return ((s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3])) + 0x8f1bbcdcU;
    return (s[1] ^ s[2] ^ s[3]) + 0xca62c1d6U;
  }

  // FIPS 180-4, 6.1.2.
  static constexpr void add_block(State& state, std::string_view text, std::size_t begin,
                                  std::size_t padded) {
    std::array<std::uint32_t, 80> words{};
    for (std::size_t i = 0; i < kBlockBytes; ++i) {
      words[i / 4] = (words[i / 4] << 8) | byte_at(text, begin + i, padded);
    }
    for (std::size_t i = 16; i < words.size(); ++i) {
      words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    State s = state;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::uint32_t first = std::rotl(s[0], 5) + mix(i, s) + s[4] + words[i];
      s = {first, s[0], std::rotl(s[1], 30), s[2], s[3]};
    }
    for (std::size_t i = 0; i < state.size(); ++i) state[i] += s[i];
  }

  static constexpr Digits digest(std::string_view text) {
    const std::size_t blocks = (text.size() + kLengthBytes) / kBlockBytes + 1;
    State state = {0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U, 0xc3d2e1f0U};
    for (std::size_t i = 0; i < blocks; ++i) {
      add_block(state, text, i * kBlockBytes, blocks * kBlockBytes);
    }
    Digits digits{};
    for (std::size_t i = 0; i < digits.size(); ++i) {
      digits[i] = "0123456789abcdef"[(state[i / 8] >> (28 - 4 * (i % 8))) & 15];
    }
    return digits;
  }

  std::string_view text_;
  Digits sha1_;
};

}  // namespace subito
