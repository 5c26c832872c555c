#include "runtime/tls/tls_client.h"

#include <openssl/pem.h>

#include <array>

#include "runtime/base/check.h"

namespace subito::tls {

TlsClient::TlsClient(const ClientTerms& terms, SSL_SESSION* resume)
    : context_(SSL_CTX_new(TLS_client_method())) {
  if (terms.version != 0) {
    SSL_CTX_set_security_level(context_.get(), terms.version < TLS1_2_VERSION ? 0 : 2);
    SSL_CTX_set_min_proto_version(context_.get(), terms.version);
    SSL_CTX_set_max_proto_version(context_.get(), terms.version);
  }
  if (!terms.authority.empty()) {
    const Bio text(
        BIO_new_mem_buf(terms.authority.data(), static_cast<int>(terms.authority.size())));
    const Certificate root(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
    CHECK(X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), root.get()) == 1);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  }
  ssl_.reset(SSL_new(context_.get()));
  CHECK(ssl_ != nullptr);
  if (!terms.protocols.empty())
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(terms.protocols.data()),
                        static_cast<unsigned>(terms.protocols.size()));
  if (resume != nullptr) SSL_set_session(ssl_.get(), resume);
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl_.get());
  drive();
}

void TlsClient::give(std::string_view wire) {
  if (!wire.empty())
    CHECK(BIO_write(SSL_get_rbio(ssl_.get()), wire.data(), static_cast<int>(wire.size())) ==
          static_cast<int>(wire.size()));
  drive();
}

std::string TlsClient::take() {
  char* data = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
  std::string wire(data, static_cast<std::size_t>(size));
  (void)BIO_reset(SSL_get_wbio(ssl_.get()));
  return wire;
}

void TlsClient::write(std::string_view plain) {
  unsent_ += plain;
  drive();
}

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

void TlsClient::drive() {
  if (!error_.empty()) return;
  ERR_clear_error();
  if (!established()) {
    if (const int result = SSL_do_handshake(ssl_.get()); result != 1) return note(result);
  }
  if (!unsent_.empty()) {
    std::size_t written = 0;
    CHECK(SSL_write_ex(ssl_.get(), unsent_.data(), unsent_.size(), &written) == 1);
    unsent_.clear();
  }
  std::array<char, 16384> piece{};
  for (;;) {
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), piece.data(), piece.size(), &size);
    if (result != 1) return note(result);
    plain_.append(piece.data(), size);
  }
}

void TlsClient::note(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_ZERO_RETURN) ended_ = true;
  if (error == SSL_ERROR_SSL) error_ = take_error();
}

}  // namespace subito::tls
