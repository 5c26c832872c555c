#include "runtime/tls/certificates.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "runtime/base/check.h"

namespace subito::tls {
namespace {

template <typename Write>
std::string pem_of(const Write& write) {
  const Bio out(BIO_new(BIO_s_mem()));
  CHECK(out != nullptr && write(out.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  CHECK(extension != nullptr);
  CHECK(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

}  // namespace

Authority::Authority(const std::string& name) : key_(make_key()) {
  Issue itself;
  itself.names = {};
  itself.subject = name;
  pem_ = sign(key_.get(), itself);
  const Bio text(
      BIO_new_mem_buf(pem_.certificate.data(), static_cast<int>(pem_.certificate.size())));
  certificate_.reset(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
  CHECK(certificate_ != nullptr);
}

IssuedPair Authority::issue(const Issue& issue) const {
  const Key key = make_key();
  return sign(key.get(), issue);
}

Key Authority::make_key() {
  Key key(EVP_EC_gen("P-256"));
  CHECK(key != nullptr);
  return key;
}

IssuedPair Authority::sign(EVP_PKEY* key, const Issue& issue) const {
  const Certificate made(X509_new());
  X509* raw = made.get();
  CHECK(raw != nullptr && X509_set_version(raw, 2) == 1);
  long serial = 0;
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(raw), serial & 0x7fffffffffffL);
  X509_gmtime_adj(X509_getm_notBefore(raw), issue.from_s);
  X509_gmtime_adj(X509_getm_notAfter(raw), issue.to_s);
  CHECK(X509_set_pubkey(raw, key) == 1);
  X509_NAME* name = X509_get_subject_name(raw);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(issue.subject.c_str()), -1, -1,
                             0);
  X509* issuer = certificate_ ? certificate_.get() : raw;
  X509_set_issuer_name(raw, X509_get_subject_name(issuer));
  if (issue.names.empty()) {
    add_extension(raw, issuer, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(raw, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(raw, issuer, NID_subject_key_identifier, "hash");
  } else {
    add_extension(raw, issuer, NID_subject_alt_name, joined(issue.names));
  }
  CHECK(X509_sign(raw, key_.get(), EVP_sha256()) > 0);
  IssuedPair pair;
  pair.certificate = pem_of([&](BIO* out) { return PEM_write_bio_X509(out, raw); });
  pair.key = pem_of([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
  return pair;
}

}  // namespace subito::tls
