// TlsClient, for tests: the client's side of a TLS connection without a socket. What the server
// sent is given, what it shall get is taken.
#pragma once

#include <string>
#include <string_view>

#include "runtime/tls/openssl.h"

namespace subito::tls {

struct ClientTerms {
  std::string authority;  // PEM; empty: whoever it is
  int version = 0;        // TLS1_2_VERSION, ...; 0: any
  std::string protocols;  // of ALPN, as on the wire; empty: none
};

class TlsClient {
 public:
  explicit TlsClient(const ClientTerms& terms = {}, SSL_SESSION* resume = nullptr);

  void give(std::string_view wire);
  std::string take();  // what is to be sent
  void write(std::string_view plain);
  void finish() { SSL_shutdown(ssl_.get()); }  // says that nothing more comes

  bool established() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  bool ended() const { return ended_; }  // the server said so
  const std::string& error() const { return error_; }
  std::string& plain() { return plain_; }  // what it said
  SSL* raw() { return ssl_.get(); }
  std::string protocol() const;

 private:
  void drive();
  void note(int result);

  Context context_;
  Ssl ssl_;
  std::string plain_;
  std::string unsent_;  // plain, before the end of the handshake
  std::string error_;
  bool ended_ = false;
};

}  // namespace subito::tls
