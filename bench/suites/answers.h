// What the function `measured` answers, byte for byte: functions/testing/measured. Plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace subito::bench {

// 200 bytes.
inline constexpr char kProductJson[] =
    R"({"id":"OLJCESPC7Z","name":"Sunglasses","description":"Add a modern touch to your outfits )"
    R"(with these sleek aviator glasses.","priceUsd":{"currencyCode":"USD","units":19,)"
    R"("nanos":990000000},"pieces":120})";
static_assert(sizeof kProductJson - 1 == 200);

struct NamedAnswer {
  const char* name;
  const char* path;
  const char* body;
};
inline constexpr NamedAnswer kEmptyAnswer = {"empty", "/empty", ""};
// Waits for kHold before it answers.
inline constexpr NamedAnswer kHeldAnswer = {"held", "/held", ""};
inline constexpr std::chrono::milliseconds kHold{250};
inline constexpr NamedAnswer kJsonAnswer = {"json", "/json", kProductJson};

// 100 KiB: a list of that product, filled up with spaces.
inline constexpr std::size_t kLargeBytes = 100 << 10;
inline std::string large_json() {
  std::string text = "[";
  while (text.size() + sizeof kProductJson + 1 <= kLargeBytes) {
    text += (text.size() > 1 ? "," : "") + std::string(kProductJson);
  }
  text.append(kLargeBytes - 1 - text.size(), ' ');
  return text + "]";
}

}  // namespace subito::bench
