// Artefacts: the binaries of functions, as files named by their SHA-256 in FOLDER/hh/HASH. Owned by
// the Store; one thread.
//
// A file is either there whole or not at all: it is written beside, synchronised, then renamed, and
// its folder synchronised. Files and folders have mode 0711: a pod may execute its binary but
// nobody else may read one, which keeps the kernel from letting anyone trace or dump the process.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito::store {

inline constexpr std::uint64_t kArtefactBytesMax = 512ULL << 20;  // of one binary

// True for 64 lower-case hex digits.
bool is_artefact_hash(std::string_view text);

// SHA-256, piece by piece.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  std::string hex();  // once, at the end

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// Of what a file holds from where it stands to its end.
Result<std::string> hash_of(int fd);

// Whether the file is there and holds that. Reads all of it; any thread.
bool is_whole(const std::string& path, std::string_view hash);

// One binary on its way in. Removes what it wrote when it goes before finish().
class ArtefactWriter {
 public:
  ArtefactWriter(ArtefactWriter&&) noexcept;
  ArtefactWriter& operator=(ArtefactWriter&&) = delete;
  ~ArtefactWriter();

  // kResourceExhausted beyond kArtefactBytesMax. Blocks for as long as the disk does.
  Status write(std::string_view bytes);
  // For who would rather wait for the disk on another thread: the file to fsync(2) there when all
  // is written. Once that has succeeded, mark_synced() spares finish() the longest of its waits.
  Result<UniqueFd> duplicate() const;
  void mark_synced() { synced_ = true; }
  // Makes the file durable under its hash, which it returns; one that is there already and whole
  // stays. With `expected` not empty: only if that is its hash, else kInvalidArgument.
  Result<std::string> finish(std::string_view expected);

 private:
  friend class Artefacts;
  ArtefactWriter(std::string folder, std::string temporary, UniqueFd fd);
  Status place(const std::string& hash);

  std::string folder_;
  std::string temporary_;  // path; empty once it is gone
  UniqueFd fd_;
  Sha256 sha256_;
  std::uint64_t size_ = 0;
  bool synced_ = false;
};

class Artefacts {
 public:
  static Result<Artefacts> open(std::string folder);
  // To look into only, path() alone: it may be on a disk that is read-only.
  static Artefacts reading(std::string folder) { return Artefacts(std::move(folder)); }

  const std::string& folder() const { return folder_; }

  Result<ArtefactWriter> begin();
  // Where the file is. kNotFound: none of that hash; kInvalidArgument: not a hash.
  Result<std::string> path(std::string_view hash) const;
  // It is there and its bytes are those of its name: they are read, all of them.
  bool has_whole(std::string_view hash) const;
  void remove(std::string_view hash);
  // Removes every file that `keep` does not want, and what interrupted writers left.
  Status collect(const std::function<bool(const std::string& hash)>& keep);

 private:
  explicit Artefacts(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

// fsync(2) of a folder, so that a new name in it survives.
Status sync_folder(const std::string& path);

}  // namespace subito::store
