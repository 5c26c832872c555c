// Tokens: how one looks, is made, and is kept.
//
//   subito_ID_SECRETSUM   ID: 16 hex digits, public; SECRET: 64 hex digits, 256 random bits;
//                         SUM: CRC-32 of all before it, 8 hex digits
//
// The prefix and the sum let scanners of source code tell a token from other text, and let a
// mistyped one be refused without a look at the table. At rest there is the SHA-256 of the whole
// alone. A slow hash (scrypt, Argon2) is for passwords, which can be guessed by trying likely ones;
// of 256 random bits none is likelier than another, so that the fast one gives nothing away, and a
// request costs a microsecond instead of 100 ms.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace subito::access {

inline constexpr std::string_view kTokenPrefix = "subito_";
inline constexpr std::size_t kTokenIdBytes = 16;
inline constexpr std::size_t kTokenBytes = 7 + kTokenIdBytes + 1 + 64 + 8;

struct NewToken {
  std::string text;  // for whoever will use it; kept nowhere
  std::string id;
  std::string hash;
};

Result<NewToken> make_token();

// The id in a text of the right form and sum; else nothing.
std::optional<std::string> token_id(std::string_view text);
std::string token_hash(std::string_view text);
// In a time that does not tell how far they are alike.
bool is_hash_of(std::string_view hash, std::string_view text);

}  // namespace subito::access
