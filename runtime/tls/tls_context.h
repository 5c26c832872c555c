// TlsContext: one certificate with its key, ready to serve: TLS 1.2 and 1.3, HTTP/1.1 by ALPN,
// tickets for clients that come again, no renegotiation, no early data. Immutable; its sessions
// outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/server/secure.h"
#include "runtime/tls/openssl.h"

namespace subito::tls {

class TlsContext final : public server::SecureContext {
 public:
  // PEM: the certificate, behind it those that lead to its authority; and its key, without a
  // passphrase. The names are for messages: "read certificate NAME: no certificate in it".
  struct Pair {
    std::string_view certificate;
    std::string_view certificate_name;
    std::string_view key;
    std::string_view key_name;
  };
  static Result<std::unique_ptr<TlsContext>> create(const Pair& pair);

  std::unique_ptr<server::SecureSession> begin() override;

  const std::string& subject() const { return subject_; }
  std::int64_t ends_unix_s() const { return ends_unix_s_; }

 private:
  explicit TlsContext(Context context) : context_(std::move(context)) {}

  Context context_;
  std::string subject_;           // "CN=node.example"
  std::int64_t ends_unix_s_ = 0;  // of the certificate
};

}  // namespace subito::tls
