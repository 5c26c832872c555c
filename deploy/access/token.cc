#include "deploy/access/token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "deploy/store/artefacts.h"
#include "runtime/base/hex.h"

namespace subito::access {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kIdRawBytes = kTokenIdBytes / 2;
constexpr std::size_t kSumBytes = 8;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// CRC-32 as in ISO 3309, bit by bit: 88 bytes.
std::string sum_of(std::string_view text) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  std::array<char, kSumBytes + 1> out{};
  std::snprintf(out.data(), out.size(), "%08x", ~crc);
  return out.data();
}

}  // namespace

Result<NewToken> make_token() {
  std::array<unsigned char, kIdRawBytes + kSecretBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return fail(ErrorCode::kInternal, "make token: the system gives no random bytes");
  NewToken token;
  token.id = hex(bytes.data(), kIdRawBytes);
  token.text =
      std::string(kTokenPrefix) + token.id + "_" + hex(bytes.data() + kIdRawBytes, kSecretBytes);
  OPENSSL_cleanse(bytes.data(), bytes.size());
  token.text += sum_of(token.text);
  token.hash = token_hash(token.text);
  return token;
}

std::optional<std::string> token_id(std::string_view text) {
  if (text.size() != kTokenBytes || !text.starts_with(kTokenPrefix)) return std::nullopt;
  const std::string_view id = text.substr(kTokenPrefix.size(), kTokenIdBytes);
  const std::string_view after = text.substr(kTokenPrefix.size() + kTokenIdBytes);
  if (!is_hex(id) || after.front() != '_' || !is_hex(after.substr(1))) return std::nullopt;
  if (sum_of(text.substr(0, text.size() - kSumBytes)) != text.substr(text.size() - kSumBytes))
    return std::nullopt;
  return std::string(id);
}

std::string token_hash(std::string_view text) {
  store::Sha256 sha256;
  sha256.update(text);
  return sha256.hex();
}

bool is_hash_of(std::string_view hash, std::string_view text) {
  const std::string other = token_hash(text);
  return hash.size() == other.size() && CRYPTO_memcmp(hash.data(), other.data(), other.size()) == 0;
}

}  // namespace subito::access
