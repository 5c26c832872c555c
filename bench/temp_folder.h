// TempFolder: a folder in $TMPDIR, else /tmp, that only we can open, removed with all in it when it
// goes.
#pragma once

#include <string>
#include <utility>

#include "runtime/base/result.h"

namespace subito::bench {

class TempFolder {
 public:
  static Result<TempFolder> make();
  TempFolder(TempFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  TempFolder& operator=(TempFolder&&) = delete;
  ~TempFolder();

  const std::string& path() const { return path_; }

 private:
  explicit TempFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace subito::bench
