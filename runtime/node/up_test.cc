#include "runtime/node/up.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace subito::node {
namespace {

TEST(UpTest, TheKeyOfSecretsIsAbsoluteAndBesideTheDataUnlessAnotherIsNamed) {
  cli::UpOptions options;
  EXPECT_EQ(secret_key_file(options, options.data_folder), "/etc/subito/secret.key");
  EXPECT_EQ(secret_key_file(options, "/srv/node"), "/srv/node.secret.key");
  options.secret_key_file = "/keys/a.key";
  EXPECT_EQ(secret_key_file(options, "/srv/node"), "/keys/a.key");
  options.secret_key_file = "rel.key";
  EXPECT_EQ(secret_key_file(options, "/srv/node"),
            (std::filesystem::current_path() / "rel.key").string());
}

}  // namespace
}  // namespace subito::node
