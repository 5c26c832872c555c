#include "runtime/tls/certificate_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "runtime/tls/certificates.h"

namespace subito::tls {
namespace {

using testing::HasSubstr;

class Certificates : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "subito-tls-XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    certificate_ = folder_ + "/node.crt";
    key_ = folder_ + "/node.key";
    put(authority_.issue());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // In the place of what is there, as those do who renew certificates.
  static void write(const std::string& file, const std::string& text, mode_t mode = 0600) {
    std::ofstream(file + ".new") << text;
    ::chmod((file + ".new").c_str(), mode);
    std::filesystem::rename(file + ".new", file);
  }
  void put(const IssuedPair& pair) {
    write(certificate_, pair.certificate);
    write(key_, pair.key);
  }
  std::string refusal() {
    const auto files = CertificateFiles::load(certificate_, key_);
    EXPECT_FALSE(files);
    return files ? "" : files.error().message;
  }

  Authority authority_;
  std::string folder_, certificate_, key_;
};

TEST_F(Certificates, AreLoadedWithThoseBehindThem) {
  Issue issue;
  issue.subject = "shop";
  const IssuedPair pair = authority_.issue(issue);
  write(certificate_, pair.certificate + authority_.certificate());
  write(key_, pair.key);
  const auto files = CertificateFiles::load(certificate_, key_);
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ((*files)->current().subject(), "CN=shop");
  EXPECT_FALSE((*files)->expired());
}

TEST_F(Certificates, AreRefusedWithWhatIsWrong) {
  const IssuedPair pair = authority_.issue();
  write(key_, pair.key, 0644);
  EXPECT_EQ(refusal(),
            "read key " + key_ + ": others may read or change it; close it: chmod 600 " + key_);
  write(key_, pair.key, 0640);  // a group for keys is usual
  EXPECT_THAT(refusal(), HasSubstr("it is not that of certificate " + certificate_));
  write(key_, "nothing of the kind");
  EXPECT_THAT(refusal(), HasSubstr("no private key in PEM without a passphrase"));
  write(certificate_, pair.key);
  EXPECT_EQ(refusal(), "read certificate " + certificate_ + ": no certificate in PEM in it");
  write(certificate_, pair.certificate + "-----BEGIN CERTIFICATE-----\nbroken\n");
  EXPECT_THAT(refusal(), HasSubstr("read certificate " + certificate_ + ": "));
  write(certificate_, std::string(kPemBytesMax + 1, '\n'));
  EXPECT_THAT(refusal(), HasSubstr("larger than 1 MiB"));
  std::filesystem::remove(certificate_);
  EXPECT_THAT(refusal(), HasSubstr("No such file"));
  std::filesystem::create_directory(certificate_);
  EXPECT_THAT(refusal(), HasSubstr("not a file"));
}

TEST_F(Certificates, ANewPairTakesThePlaceOfTheOldAndABadOneDoesNot) {
  Loop loop;
  auto files = CertificateFiles::load(certificate_, key_).value();
  std::vector<std::string> told;
  CertificateWatch watch(loop, *files, [&](const Status& status) {
    told.push_back(status ? "new" : status.error().message);
  });
  watch.check();
  EXPECT_TRUE(told.empty());

  Issue issue;
  issue.subject = "second";
  const IssuedPair second = authority_.issue(issue);
  write(certificate_, second.certificate);  // its key comes a moment later
  watch.check();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], HasSubstr("it is not that of certificate"));
  EXPECT_EQ(files->current().subject(), "CN=node");
  watch.check();
  EXPECT_EQ(told.size(), 1U) << "told again though nothing changed";
  write(key_, second.key);
  watch.check();
  EXPECT_EQ(told.back(), "new");
  EXPECT_EQ(files->current().subject(), "CN=second");

  issue.to_s = -60;
  put(authority_.issue(issue));
  watch.check();
  EXPECT_THAT(told.back(), HasSubstr("it ran out on "));
  EXPECT_FALSE(files->expired());
  std::filesystem::remove(key_);
  watch.reload();
  EXPECT_THAT(told.back(), HasSubstr("read key " + key_));
  EXPECT_EQ(files->current().subject(), "CN=second");
  ASSERT_NE(files->begin(), nullptr);
}

TEST_F(Certificates, OneThatHasRunOutIsServedIfThereIsNoOther) {
  Issue issue;
  issue.to_s = -60;
  put(authority_.issue(issue));
  const auto files = CertificateFiles::load(certificate_, key_);
  ASSERT_TRUE(files);
  EXPECT_TRUE((*files)->expired());
  EXPECT_TRUE((*files)->reload()) << "the same again";
}

}  // namespace
}  // namespace subito::tls
