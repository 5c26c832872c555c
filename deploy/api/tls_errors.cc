#include "deploy/api/tls_errors.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/base/unique_fd.h"

namespace subito::api {
namespace {

constexpr std::string_view kHttps = "https://";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

// openssl-verification-options(1) numbers them: X509_V_ERR_...
std::string verify_words(long verified, const std::string& words, const Endpoint& endpoint) {
  constexpr long kNotYetValid = 9, kHasExpired = 10;
  // Curl looks at the name by itself, before it says what OpenSSL found.
  if (has(words, "subject name") || has(words, "common name"))
    return "its certificate is for another name; call it by one that the certificate has";
  switch (verified) {
    case kNotYetValid:
      return "its certificate is not valid yet, or the clock of this machine is wrong";
    case kHasExpired:
      return "its certificate has run out";
    default:
      return endpoint.ca_file.empty()
                 ? "nobody this machine trusts has signed its certificate; if it is the right "
                   "server, say who has: --ca FILE or SUBITO_CA"
                 : "its certificate is not signed by " + endpoint.ca_file;
  }
}

// Curl does not say why it could not use the file.
std::string ca_words(const std::string& file) {
  struct stat info {};
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid())
    return errno_error("read " + file).message + " (--ca, SUBITO_CA or that of the context)";
  if (::fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode))
    return "read " + file + ": it is a folder, and must be a file";
  return "read " + file + ": no certificate in PEM in it";
}

std::string tls_words(CURLcode code, long verified, const std::string& words,
                      const Endpoint& endpoint) {
  if (code == CURLE_SSL_CACERT_BADFILE) return ca_words(endpoint.ca_file);
  if (code == CURLE_PEER_FAILED_VERIFICATION) return verify_words(verified, words, endpoint);
  if (has(words, "wrong version number")) return "it speaks plain HTTP there, not TLS";
  if (has(words, "alert protocol version") || has(words, "unsupported protocol"))
    return "it speaks no TLS of version 1.2 or later";
  return words.empty() ? "it does not speak TLS" : words;
}

}  // namespace

Status check_server_url(const std::string& url) {
  const auto refuse = [&url](const std::string& why) {
    return fail(ErrorCode::kInvalidArgument, "server '" + url + "': " + why);
  };
  if (url.compare(0, kHttps.size(), kHttps) != 0)
    return refuse("allowed is https://HOST:PORT; the API is served by TLS alone");
  const std::string host = url.substr(kHttps.size());
  if (host.empty() || host.find_first_of("/?#@ \t\r\n") != host.npos)
    return refuse("allowed is https://HOST:PORT, without a path or a user");
  return ok();
}

Error tls_error(CURLcode code, long verified, const std::string& words, const Endpoint& endpoint) {
  return {ErrorCode::kUnavailable,
          "connect to " + endpoint.server + ": " + tls_words(code, verified, words, endpoint), 0};
}

}  // namespace subito::api
