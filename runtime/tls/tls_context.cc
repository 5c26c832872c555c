#include "runtime/tls/tls_context.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "runtime/base/check.h"
#include "runtime/tls/tls_session.h"

namespace subito::tls {
namespace {

// At least 112 bits: RSA from 2048 on, no SHA-1. SSL_CTX_set_security_level(3).
constexpr int kSecurityLevel = 2;
constexpr int kChainMax = 16;

Error read_error(std::string_view what, std::string_view name, const std::string& why) {
  return {ErrorCode::kInvalidArgument,
          "read " + std::string(what) + " " + std::string(name) + ": " + why, 0};
}

Bio bio_of(std::string_view text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  CHECK(bio != nullptr);
  return bio;
}

// Without it OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

// A client that names protocols must name ours (RFC 7301, 3.2): no_application_protocol.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr std::string_view kSpoken("\x08http/1.1\x08http/1.0");
  unsigned char* out = nullptr;
  if (SSL_select_next_proto(
          &out, chosen_size, reinterpret_cast<const unsigned char*>(kSpoken.data()),
          static_cast<unsigned>(kSpoken.size()), offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = out;
  return SSL_TLSEXT_ERR_OK;
}

Context make_context() {
  Context context(SSL_CTX_new(TLS_server_method()));
  CHECK(context != nullptr);
  SSL_CTX* raw = context.get();
  CHECK(SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1);
  SSL_CTX_set_security_level(raw, kSecurityLevel);
  // What was decrypted is wiped once it is read: it may be a secret's value.
  SSL_CTX_set_options(raw,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
  // 34 KiB less for an idle connection; and the chain is that of the file, not looked for and
  // verified anew in each handshake.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  // Tickets hold the session, sealed with a key of this context: the server remembers nobody.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(raw, 1);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  return context;
}

Status use_certificates(SSL_CTX* context, const TlsContext::Pair& pair, X509* certificate,
                        BIO* rest) {
  if (SSL_CTX_use_certificate(context, certificate) != 1)
    return read_error("certificate", pair.certificate_name, take_error());
  for (int i = 0; i < kChainMax; ++i) {
    const Certificate next(PEM_read_bio_X509(rest, nullptr, no_passphrase, nullptr));
    if (next == nullptr) {
      const bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      if (end) ERR_clear_error();
      return end ? ok() : Status(read_error("certificate", pair.certificate_name, take_error()));
    }
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1)
      return read_error("certificate", pair.certificate_name, take_error());
  }
  return read_error("certificate", pair.certificate_name,
                    "more than " + std::to_string(kChainMax) + " certificates behind it");
}

Status use_key(SSL_CTX* context, const TlsContext::Pair& pair) {
  const Key key(PEM_read_bio_PrivateKey(bio_of(pair.key).get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) {
    ERR_clear_error();
    return read_error("key", pair.key_name, "no private key in PEM without a passphrase in it");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) == 1) return ok();
  const bool other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
                     ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH;
  const std::string why = take_error();
  return read_error(
      "key", pair.key_name,
      other ? "it is not that of certificate " + std::string(pair.certificate_name) : why);
}

std::string subject_of(X509* certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  CHECK(out != nullptr);
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string("no name");
}

std::int64_t end_of(X509* certificate) {
  std::tm time{};
  return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) == 1 ? ::timegm(&time) : 0;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::create(const Pair& pair) {
  Context context = make_context();
  const Bio certificates = bio_of(pair.certificate);
  ERR_clear_error();
  const Certificate first(PEM_read_bio_X509(certificates.get(), nullptr, no_passphrase, nullptr));
  if (first == nullptr) {
    ERR_clear_error();
    return read_error("certificate", pair.certificate_name, "no certificate in PEM in it");
  }
  RETURN_IF_ERROR(use_certificates(context.get(), pair, first.get(), certificates.get()));
  RETURN_IF_ERROR(use_key(context.get(), pair));
  std::unique_ptr<TlsContext> made(new TlsContext(std::move(context)));
  made->subject_ = subject_of(first.get());
  made->ends_unix_s_ = end_of(first.get());
  return made;
}

std::unique_ptr<server::SecureSession> TlsContext::begin() {
  return TlsSession::create(context_.get());
}

}  // namespace subito::tls
