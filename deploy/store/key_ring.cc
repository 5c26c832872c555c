#include "deploy/store/key_ring.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/base/unique_fd.h"

namespace subito::store {

namespace {

constexpr std::size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kNonceBytes + kTagBytes == kSealBytes);
constexpr std::size_t kLineBytes = 2 * kKeyBytes + 1;
constexpr std::size_t kKeyIdBytes = 8;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
unsigned char* bytes_of(LockedBytes& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

Result<LockedBytes> read_to_end(int fd) {
  LockedBytes text(kKeysOfRingMax * (kLineBytes + 1) + 1);
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t count = ::read(fd, text.data() + have, text.size() - have);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("read secret key");
    if (count == 0) break;
    have += static_cast<std::size_t>(count);
  }
  text.shrink(have);
  return text;
}

// "key" is in ".".
std::string folder_of(const std::string& file) {
  const std::string folder = std::filesystem::path(file).parent_path().string();
  return folder.empty() ? "." : folder;
}

Status sync_parent(const std::string& file) {
  const std::string folder = folder_of(file);
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return errno_error("sync folder " + folder);
  return ok();
}

}  // namespace

KeyRing::Key KeyRing::key_of(LockedBytes bytes) {
  unsigned char hash[crypto_generichash_BYTES];
  const std::string_view context = "subito secret key id";
  CHECK(crypto_generichash(hash, sizeof hash, bytes_of(context), context.size(), bytes_of(bytes),
                           bytes.size()) == 0);
  char hex[2 * kKeyIdBytes + 1];
  sodium_bin2hex(hex, sizeof hex, hash, kKeyIdBytes);
  return {std::move(bytes), hex};
}

KeyRing KeyRing::make() {
  KeyRing ring;
  ring.add_new();
  return ring;
}

void KeyRing::add_new() {
  CHECK(keys_.size() < kKeysOfRingMax);
  LockedBytes bytes(kKeyBytes);
  randombytes_buf(bytes.data(), bytes.size());
  keys_.insert(keys_.begin(), key_of(std::move(bytes)));
}

Result<KeyRing> KeyRing::parse(std::string_view text) {
  KeyRing ring;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    LockedBytes bytes(kKeyBytes);
    std::size_t size = 0;
    const char* rest = nullptr;
    const bool right = line.size() == 2 * kKeyBytes && ring.keys_.size() < kKeysOfRingMax &&
                       sodium_hex2bin(bytes_of(bytes), kKeyBytes, line.data(), line.size(), nullptr,
                                      &size, &rest) == 0 &&
                       size == kKeyBytes;
    if (!right)
      return fail(ErrorCode::kInvalidArgument,
                  "read secret key: it is no key, which is a line of 64 hexadecimal digits");
    ring.keys_.push_back(key_of(std::move(bytes)));
  }
  if (ring.keys_.empty())
    return fail(ErrorCode::kInvalidArgument, "read secret key: there is none in it");
  return ring;
}

Result<KeyRing> KeyRing::load(const std::string& file) {
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT)
    return fail(ErrorCode::kNotFound, "read secret key " + file + ": it is not there");
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return errno_error("read secret key " + file);
  if ((info.st_mode & 077) != 0)
    return fail(ErrorCode::kPermissionDenied,
                "read secret key " + file + ": others may read it; chmod 400 " + file);
  auto ring = read(fd.release());
  if (!ring) return std::move(ring).error().annotate(file);
  return ring;
}

Result<KeyRing> KeyRing::read(int fd) {
  const UniqueFd owned(fd);
  ASSIGN_OR_RETURN(const LockedBytes text, read_to_end(owned.get()));
  return parse(text.view());
}

// Written beside it, then it takes the name at once: whoever reads it has one key or the other.
Status KeyRing::save(const std::string& file, bool replace) const {
  const std::string folder = folder_of(file);
  std::error_code error;
  if (!std::filesystem::exists(folder, error) && ::mkdir(folder.c_str(), 0700) != 0)
    return errno_error("make folder " + folder + " for the secret key");
  const std::string fresh = file + ".new";
  ::unlink(fresh.c_str());
  const UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400));
  if (!fd.valid()) return errno_error("write secret key " + file);
  for (const Key& key : keys_) {
    LockedBytes line(kLineBytes);
    sodium_bin2hex(line.data(), line.size(), bytes_of(key.bytes.view()), key.bytes.size());
    line.data()[kLineBytes - 1] = '\n';
    if (::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      return errno_error("write secret key " + file);
  }
  if (::fsync(fd.get()) != 0) return errno_error("write secret key " + file);
  const int named =
      replace ? ::rename(fresh.c_str(), file.c_str())
              : ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE);
  if (named != 0) return errno_error("write secret key " + file);
  return sync_parent(file);
}

const KeyRing::Key* KeyRing::find(std::string_view key_id) const {
  const auto at = std::find_if(keys_.begin(), keys_.end(),
                               [key_id](const Key& key) { return key.id == key_id; });
  return at == keys_.end() ? nullptr : &*at;
}

Sealed KeyRing::seal(std::string_view plain, std::string_view place) const {
  const Key& key = keys_.front();
  Sealed sealed{std::string(kSealBytes + plain.size(), '\0'), key.id};
  randombytes_buf(sealed.bytes.data(), kNonceBytes);
  unsigned char* nonce = bytes_of(sealed.bytes);
  CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(
            nonce + kNonceBytes, nullptr, bytes_of(plain), plain.size(), bytes_of(place),
            place.size(), nullptr, nonce, bytes_of(key.bytes.view())) == 0);
  return sealed;
}

Result<LockedBytes> KeyRing::open(const Sealed& sealed, std::string_view place) const {
  const Key* key = find(sealed.key_id);
  if (key == nullptr)
    return fail(ErrorCode::kNotFound,
                "open secret: it was sealed with key " + sealed.key_id + ", this node has " + id());
  if (sealed.bytes.size() < kSealBytes)
    return fail(ErrorCode::kInvalidArgument, "open secret: it is damaged");
  LockedBytes plain(sealed.bytes.size() - kSealBytes);
  const unsigned char* nonce = bytes_of(std::string_view(sealed.bytes));
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          bytes_of(plain), nullptr, nullptr, nonce + kNonceBytes, sealed.bytes.size() - kNonceBytes,
          bytes_of(place), place.size(), nonce, bytes_of(key->bytes.view())) != 0)
    return fail(ErrorCode::kInvalidArgument,
                "open secret: it is damaged, or was sealed for another place");
  return plain;
}

}  // namespace subito::store
