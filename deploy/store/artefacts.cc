#include "deploy/store/artefacts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/base/hex.h"

namespace subito::store {

namespace {

namespace fs = std::filesystem;

constexpr mode_t kMode = 0711;
constexpr std::string_view kTemporary = "incoming-";
constexpr std::size_t kHashSize = 64;

std::string path_of(const std::string& folder, std::string_view hash) {
  return folder + "/" + std::string(hash.substr(0, 2)) + "/" + std::string(hash);
}

}  // namespace

bool is_artefact_hash(std::string_view text) {
  return text.size() == kHashSize && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Status sync_folder(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return errno_error("sync folder " + path);
  return ok();
}

// libcrypto fails here only without memory.
Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ != nullptr);
  CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  std::array<unsigned char, kHashSize / 2> digest{};
  unsigned int size = 0;
  CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1 && size == digest.size());
  return subito::hex(digest.data(), digest.size());
}

Result<std::string> hash_of(int fd) {
  Sha256 sha256;
  std::array<char, 64 << 10> piece{};
  while (true) {
    const ssize_t size = ::read(fd, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno_error("read artefact");
    if (size == 0) return sha256.hex();
    sha256.update({piece.data(), static_cast<std::size_t>(size)});
  }
}

bool is_whole(const std::string& path, std::string_view hash) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return false;
  const auto found = hash_of(file.get());
  return found && *found == hash;
}

ArtefactWriter::ArtefactWriter(std::string folder, std::string temporary, UniqueFd fd)
    : folder_(std::move(folder)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}

ArtefactWriter::ArtefactWriter(ArtefactWriter&& other) noexcept
    : folder_(std::move(other.folder_)),
      temporary_(std::exchange(other.temporary_, std::string())),
      fd_(std::move(other.fd_)),
      sha256_(std::move(other.sha256_)),
      size_(other.size_),
      synced_(other.synced_) {}

ArtefactWriter::~ArtefactWriter() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status ArtefactWriter::write(std::string_view bytes) {
  if (bytes.size() > kArtefactBytesMax - size_)
    return fail(ErrorCode::kResourceExhausted,
                "store artefact: larger than " + std::to_string(kArtefactBytesMax >> 20) + " MiB");
  size_ += bytes.size();
  sha256_.update(bytes);
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error("store artefact");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ok();
}

Result<UniqueFd> ArtefactWriter::duplicate() const {
  UniqueFd fd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd.valid()) return errno_error("store artefact");
  return fd;
}

Result<std::string> ArtefactWriter::finish(std::string_view expected) {
  std::string hash = sha256_.hex();
  if (!expected.empty() && hash != expected)
    return fail(ErrorCode::kInvalidArgument,
                "store artefact: its SHA-256 is " + hash + ", not " + std::string(expected));
  struct stat there {};
  const std::string path = path_of(folder_, hash);
  // A whole one stays: pods may run from it, and its pages are warm. A disk may have damaged it.
  if (::stat(path.c_str(), &there) == 0 && static_cast<std::uint64_t>(there.st_size) == size_ &&
      is_whole(path, hash))
    return hash;
  if (auto placed = place(hash); !placed) return std::move(placed).error();
  return hash;
}

Status ArtefactWriter::place(const std::string& hash) {
  if (!synced_ && ::fsync(fd_.get()) != 0) return errno_error("store artefact");
  fd_.reset();  // a file open for writing cannot be executed: ETXTBSY
  const std::string folder = folder_ + "/" + hash.substr(0, 2);
  if (::mkdir(folder.c_str(), kMode) == 0) {
    RETURN_IF_ERROR(sync_folder(folder_));
  } else if (errno != EEXIST) {
    return errno_error("make folder " + folder);
  }
  if (::rename(temporary_.c_str(), path_of(folder_, hash).c_str()) != 0)
    return errno_error("store artefact");
  temporary_.clear();
  return sync_folder(folder);
}

Result<Artefacts> Artefacts::open(std::string folder) {
  if (::mkdir(folder.c_str(), kMode) != 0 && errno != EEXIST)
    return errno_error("make folder " + folder);
  if (::chmod(folder.c_str(), kMode) != 0) return errno_error("make folder " + folder);
  // A writer that was killed may have made a folder in it without this.
  RETURN_IF_ERROR(sync_folder(folder));
  return Artefacts(std::move(folder));
}

Result<ArtefactWriter> Artefacts::begin() {
  std::string temporary = folder_ + "/" + std::string(kTemporary) + "XXXXXX";
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid() || ::fchmod(fd.get(), kMode) != 0) return errno_error("store artefact");
  return ArtefactWriter(folder_, std::move(temporary), std::move(fd));
}

Result<std::string> Artefacts::path(std::string_view hash) const {
  if (!is_artefact_hash(hash))
    return fail(ErrorCode::kInvalidArgument, "find artefact: not a SHA-256 in lower-case hex");
  std::string path = path_of(folder_, hash);
  if (::access(path.c_str(), F_OK) != 0)
    return fail(ErrorCode::kNotFound, "find artefact " + std::string(hash) + ": not in the store");
  return path;
}

bool Artefacts::has_whole(std::string_view hash) const {
  return is_artefact_hash(hash) && is_whole(path_of(folder_, hash), hash);
}

void Artefacts::remove(std::string_view hash) {
  if (is_artefact_hash(hash)) ::unlink(path_of(folder_, hash).c_str());
}

Status Artefacts::collect(const std::function<bool(const std::string& hash)>& keep) {
  std::error_code error;
  std::vector<std::string> garbage;
  for (fs::recursive_directory_iterator it(folder_, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool is_temporary = name.compare(0, kTemporary.size(), kTemporary) == 0;
    if (is_temporary || (is_artefact_hash(name) && !keep(name)))
      garbage.push_back(it->path().string());
  }
  if (error)
    return fail(ErrorCode::kInternal, "list artefacts in " + folder_ + ": " + error.message());
  for (const std::string& path : garbage) {
    if (::unlink(path.c_str()) != 0) return errno_error("remove artefact " + path);
  }
  return ok();
}

}  // namespace subito::store
