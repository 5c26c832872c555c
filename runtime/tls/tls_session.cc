#include "runtime/tls/tls_session.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "runtime/base/check.h"

namespace subito::tls {
namespace {

constexpr std::size_t kRecordBytesMax = 16 << 10;  // RFC 8446, 5.1

// A TLS connection begins with a record of type 22; all methods of HTTP begin with a capital.
bool is_plain_http(std::string_view bytes) {
  return bytes.front() >= 'A' && bytes.front() <= 'Z';
}

// A string that grows leaves a copy of what it held behind.
void append(std::string& plain, std::string_view more) {
  const std::size_t needed = plain.size() + more.size();
  if (needed > plain.capacity()) {
    std::string larger;
    larger.reserve(std::max(needed, 2 * plain.capacity()));
    larger = plain;
    OPENSSL_cleanse(plain.data(), plain.size());
    plain.swap(larger);
  }
  plain += more;
}

}  // namespace

std::unique_ptr<TlsSession> TlsSession::create(SSL_CTX* context) {
  std::unique_ptr<TlsSession> session(new TlsSession);
  session->ssl_.reset(SSL_new(context));
  if (session->ssl_ == nullptr) return nullptr;
  BIO* bio = BIO_new(bio_method());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, session.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(session->ssl_.get(), bio, bio);  // it owns the bio now
  SSL_set_accept_state(session->ssl_.get());
  return session;
}

BIO_METHOD* TlsSession::bio_method() {
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "subito");
    CHECK(method != nullptr);
    BIO_meth_set_read(method, read_bio);
    BIO_meth_set_write(method, write_bio);
    BIO_meth_set_ctrl(method, control_bio);
    return method;
  }();
  return kMethod;
}

int TlsSession::read_bio(BIO* bio, char* data, int size) {
  auto& session = *static_cast<TlsSession*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (session.in_.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t taken = std::min(session.in_.size(), static_cast<std::size_t>(size));
  std::memcpy(data, session.in_.data(), taken);
  session.in_.remove_prefix(taken);
  return static_cast<int>(taken);
}

int TlsSession::write_bio(BIO* bio, const char* data, int size) {
  auto& session = *static_cast<TlsSession*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  CHECK(session.out_ != nullptr);
  session.out_->append(data, static_cast<std::size_t>(size));
  return size;
}

long TlsSession::control_bio(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

server::SecureSession::Input TlsSession::receive(std::string_view bytes, std::string& plain,
                                                 std::string& wire) {
  CHECK(!bytes.empty() && !broken_);
  if (!std::exchange(begun_, true) && is_plain_http(bytes)) return Input::kPlainHttp;
  in_ = bytes;
  out_ = &wire;
  ERR_clear_error();
  if (!established()) {
    if (const int result = SSL_do_handshake(ssl_.get()); result != 1) return outcome(result);
  }
  std::array<char, kRecordBytesMax> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  std::size_t used = 0;
  for (;;) {
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), piece.data(), piece.size(), &size);
    if (result != 1) {
      OPENSSL_cleanse(piece.data(), used);
      return outcome(result);
    }
    used = std::max(used, size);
    append(plain, {piece.data(), size});
  }
}

server::SecureSession::Input TlsSession::outcome(int result) {
  out_ = nullptr;
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ) {
    CHECK(in_.empty());  // a part of a record is OpenSSL's
    return Input::kOpen;
  }
  in_ = {};
  ERR_clear_error();
  if (error == SSL_ERROR_ZERO_RETURN) return Input::kEnd;
  broken_ = true;
  return Input::kBroken;
}

bool TlsSession::seal(std::string_view plain, std::string& wire) {
  if (broken_ || !established()) return false;
  out_ = &wire;
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written);
  out_ = nullptr;
  if (result == 1 && written == plain.size()) return true;
  ERR_clear_error();
  broken_ = true;
  return false;
}

void TlsSession::finish(std::string& wire) {
  if (broken_ || !established()) return;
  out_ = &wire;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  out_ = nullptr;
  ERR_clear_error();
}

}  // namespace subito::tls
