// TlsSession: the server's side of one TLS connection, by OpenSSL, without a socket: what came goes
// in, what is to be sent comes out. Owned by its connection, on its thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/server/secure.h"
#include "runtime/tls/openssl.h"

namespace subito::tls {

class TlsSession final : public server::SecureSession {
 public:
  // Keeps what it needs of the context alive. Null: no memory.
  static std::unique_ptr<TlsSession> create(SSL_CTX* context);

  Input receive(std::string_view bytes, std::string& plain, std::string& wire) override;
  bool established() const override { return SSL_is_init_finished(ssl_.get()) == 1; }
  bool seal(std::string_view plain, std::string& wire) override;
  void finish(std::string& wire) override;

 private:
  TlsSession() = default;
  static BIO_METHOD* bio_method();
  static int read_bio(BIO* bio, char* data, int size);
  static int write_bio(BIO* bio, const char* data, int size);
  static long control_bio(BIO* bio, int command, long, void*);
  Input outcome(int result);

  Ssl ssl_;
  std::string_view in_;         // what is left of the bytes that came, for the call that took them
  std::string* out_ = nullptr;  // for one call
  bool begun_ = false;          // a byte came
  bool broken_ = false;
};

}  // namespace subito::tls
