// For tests: an authority and what it signs, made on the spot. PEM texts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/tls/openssl.h"

namespace subito::tls {

struct IssuedPair {
  std::string certificate;
  std::string key;
};

struct Issue {
  std::vector<std::string> names = {"DNS:localhost", "IP:127.0.0.1"};  // empty: of an authority
  long from_s = -3600;                                                 // counted from now
  long to_s = 86'400;
  std::string subject = "node";
};

class Authority {
 public:
  explicit Authority(const std::string& name = "authority");
  const std::string& certificate() const { return pem_.certificate; }
  IssuedPair issue(const Issue& issue = {}) const;

 private:
  static Key make_key();
  IssuedPair sign(EVP_PKEY* key, const Issue& issue) const;

  Key key_;
  Certificate certificate_;  // null until it has signed itself
  IssuedPair pem_;
};

}  // namespace subito::tls
