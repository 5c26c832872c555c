#include "runtime/tls/certificate_files.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime/base/unique_fd.h"

namespace subito::tls {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

// The text of a file, wiped when it goes: it may be a key.
struct Text {
  std::string bytes;
  Text() = default;
  Text(Text&&) = default;
  Text& operator=(Text&&) = delete;
  ~Text() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

Status check_mode(const std::string& file, const struct stat& info) {
  if ((info.st_mode & (S_IRWXO | S_IWGRP)) == 0) return ok();
  return fail(ErrorCode::kPermissionDenied,
              "read key " + file + ": others may read or change it; close it: chmod 600 " + file);
}

Result<Text> read_text(const std::string& what, const std::string& file, bool is_key) {
  // Not blocked by a pipe that nobody writes to.
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return errno_error("read " + what + " " + file);
  if (!S_ISREG(info.st_mode))
    return fail(ErrorCode::kInvalidArgument, "read " + what + " " + file + ": not a file");
  if (is_key) RETURN_IF_ERROR(check_mode(file, info));
  if (static_cast<std::size_t>(info.st_size) > kPemBytesMax)
    return fail(ErrorCode::kInvalidArgument,
                "read " + what + " " + file + ": larger than 1 MiB, so it is no PEM");
  Text text;
  text.bytes.resize(static_cast<std::size_t>(info.st_size));
  std::size_t had = 0;
  while (had < text.bytes.size()) {
    const ssize_t got = ::read(fd.get(), text.bytes.data() + had, text.bytes.size() - had);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read " + what + " " + file);
    if (got == 0) break;
    had += static_cast<std::size_t>(got);
  }
  text.bytes.resize(had);
  return text;
}

std::string date_of(std::int64_t unix_s) {
  const std::time_t time = unix_s;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace

CertificateFiles::CertificateFiles(std::string certificate_file, std::string key_file)
    : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

Result<std::unique_ptr<CertificateFiles>> CertificateFiles::load(
    const std::string& certificate_file, const std::string& key_file) {
  std::unique_ptr<CertificateFiles> files(new CertificateFiles(certificate_file, key_file));
  files->stamps_ = {stamp_of(certificate_file), stamp_of(key_file)};
  ASSIGN_OR_RETURN(auto context, files->read());
  files->use(std::move(context));
  return files;
}

Result<std::unique_ptr<TlsContext>> CertificateFiles::read() const {
  ASSIGN_OR_RETURN(const Text certificate, read_text("certificate", certificate_file_, false));
  ASSIGN_OR_RETURN(const Text key, read_text("key", key_file_, true));
  return TlsContext::create({certificate.bytes, certificate_file_, key.bytes, key_file_});
}

// What changes between the look and the reading is read again by the next check.
Status CertificateFiles::reload() {
  stamps_ = {stamp_of(certificate_file_), stamp_of(key_file_)};
  ASSIGN_OR_RETURN(auto fresh, read());
  const std::int64_t now_s = wall_clock_nanoseconds() / kNsPerSecond;
  const bool same = fresh->ends_unix_s() == context_->ends_unix_s();
  if (fresh->ends_unix_s() <= now_s && !same)
    return fail(ErrorCode::kFailedPrecondition, "read certificate " + certificate_file_ +
                                                    ": it ran out on " +
                                                    date_of(fresh->ends_unix_s()));
  use(std::move(fresh));
  return ok();
}

void CertificateFiles::use(std::unique_ptr<TlsContext> context) {
  context_ = std::move(context);
  published_.publish(context_);
}

namespace {

class SharedCertificate final : public server::SecureContext {
 public:
  explicit SharedCertificate(Published<TlsContext>& contexts) : contexts_(contexts) {}
  std::unique_ptr<server::SecureSession> begin() override {
    contexts_.look();
    return contexts_.value()->begin();
  }

 private:
  Published<TlsContext>::Reader contexts_;
};

}  // namespace

std::unique_ptr<server::SecureContext> CertificateFiles::share() {
  return std::make_unique<SharedCertificate>(published_);
}

bool CertificateFiles::changed() const {
  return stamps_ != std::array{stamp_of(certificate_file_), stamp_of(key_file_)};
}

bool CertificateFiles::expired() const {
  return context_->ends_unix_s() <= wall_clock_nanoseconds() / kNsPerSecond;
}

CertificateFiles::Stamp CertificateFiles::stamp_of(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size,
          std::int64_t{info.st_mtim.tv_sec} * kNsPerSecond + info.st_mtim.tv_nsec};
}

CertificateWatch::CertificateWatch(Loop& loop, CertificateFiles& files,
                                   std::function<void(const Status&)> tell)
    : files_(files),
      tell_(std::move(tell)),
      loop_(loop),
      ticket_key_since_(loop.now()),
      timer_(loop, [this] { check(); }) {
  wait();
}

void CertificateWatch::wait() {
  timer_.start(kCertificateCheckEvery);
}

void CertificateWatch::reload() {
  const Status done = files_.reload();
  if (done) ticket_key_since_ = loop_.now();
  tell_(done);
}

void CertificateWatch::check() {
  if (files_.changed()) {
    reload();
  } else if (loop_.now() >= ticket_key_since_ + kTicketKeyLife) {
    ticket_key_since_ = loop_.now();
    if (auto done = files_.reload(); !done) tell_(done);
  }
  wait();
}

}  // namespace subito::tls
