// What the tests of the store share. Not linked into anything else.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "deploy/store/store.h"

namespace subito::store {

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(testing::TempDir() + "subito-store-XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::unique_ptr<Store> open_or_die(const std::string& folder) {
  auto store = Store::open(folder);
  if (!store) throw std::runtime_error(store.error().message);
  return std::move(*store);
}

inline std::string put(Store& store, std::string_view bytes) {
  auto writer = store.begin_artefact().value();
  EXPECT_TRUE(writer.write(bytes));
  return writer.finish("").value();
}

inline manifest::Function function(const std::string& name, const std::string& marker) {
  manifest::Function function;
  function.mutable_metadata()->set_name(name);
  (*function.mutable_spec()->mutable_settings())["marker"] = marker;
  return function;
}

// A revision whose spec and binary both say `marker`.
inline void deploy(Store& store, const std::string& name, const std::string& marker) {
  const auto candidate = store.prepare(function(name, marker), put(store, marker));
  ASSERT_TRUE(candidate) << candidate.error().message;
  const auto status = store.commit(*candidate);
  ASSERT_TRUE(status) << status.error().message;
}

inline std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// What the current revision and its binary say, "two two"; else why there is none.
inline std::string marker(Store& store, const std::string& name) {
  const auto record = store.function(name);
  if (!record) return record.error().message;
  const Revision& revision = record->revision;
  const auto path = store.artefact_path(revision.artefact);
  return revision.spec.spec().settings().at("marker") + " " +
         (path ? content(*path) : path.error().message);
}

// The only file there that holds this.
inline std::string file_with(const std::string& folder, const std::string& text) {
  std::string found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && content(entry.path()) == text) found = entry.path();
  }
  EXPECT_FALSE(found.empty()) << text;
  return found;
}

inline int count_files(const std::string& folder) {
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    count += entry.is_regular_file() ? 1 : 0;
  return count;
}

}  // namespace subito::store
