// CertificateFiles: a certificate and its key as files, read again when they change. Connections
// that are open keep the pair they began with. What cannot be used is refused and the old pair
// stays. Owned by the node, on the loop's thread; reading blocks it, for two small files. Servers
// on other loops get a view each, by share().
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/published.h"
#include "runtime/base/result.h"
#include "runtime/loop/loop.h"
#include "runtime/server/secure.h"
#include "runtime/tls/tls_context.h"

namespace subito::tls {

inline constexpr std::size_t kPemBytesMax = 1 << 20;  // of either file
inline constexpr Duration kCertificateCheckEvery = std::chrono::seconds(10);
// So often the key that seals tickets is another, whether or not the files change.
inline constexpr Duration kTicketKeyLife = std::chrono::hours(24);

class CertificateFiles final : public server::SecureContext {
 public:
  // A key that others may read is refused, kPermissionDenied.
  static Result<std::unique_ptr<CertificateFiles>> load(const std::string& certificate_file,
                                                        const std::string& key_file);

  // Reads both again. A new certificate that has run out is refused too.
  Status reload();
  // Whether either file is another than when they were read last, whatever came of that.
  bool changed() const;
  const TlsContext& current() const { return *context_; }
  bool expired() const;

  std::unique_ptr<server::SecureSession> begin() override { return context_->begin(); }
  // The same pair, for the thread of another loop. This outlives it.
  std::unique_ptr<server::SecureContext> share();

 private:
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t bytes = -1;
    std::int64_t modified_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  CertificateFiles(std::string certificate_file, std::string key_file);
  static Stamp stamp_of(const std::string& file);
  Result<std::unique_ptr<TlsContext>> read() const;
  void use(std::unique_ptr<TlsContext> context);

  const std::string certificate_file_;
  const std::string key_file_;
  std::array<Stamp, 2> stamps_;
  std::shared_ptr<TlsContext> context_;
  Published<TlsContext> published_;
};

// Looks at the files every kCertificateCheckEvery and has them read again when they changed.
class CertificateWatch {
 public:
  // `tell`: what came of a reload. `files` outlives the watch.
  CertificateWatch(Loop& loop, CertificateFiles& files, std::function<void(const Status&)> tell);

  void reload();  // now
  void check();   // the timer's; a test calls it

 private:
  void wait();

  CertificateFiles& files_;
  const std::function<void(const Status&)> tell_;
  Loop& loop_;
  TimePoint ticket_key_since_;
  Timer timer_;
};

}  // namespace subito::tls
