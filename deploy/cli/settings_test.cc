#include <gmock/gmock.h>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"

namespace subito::cli {
namespace {

using api::FakeSettings;
using api::ObjectKind;
using testing::HasSubstr;
using testing::Not;

class SettingsCli : public CliTest {
 protected:
  std::string secret(const std::string& name, const std::string& key) {
    return plane_.config_and_secrets.objects[{ObjectKind::kSecret, name}].values[key];
  }
  std::string config(const std::string& name, const std::string& key) {
    return plane_.config_and_secrets.objects[{ObjectKind::kConfig, name}].values[key];
  }
};

TEST_F(SettingsCli, ConfigIsSetListedReadAndUnset) {
  const Printed set = run({"config", "set", "shop", "currency=GBP", "motto=a=b c"});
  EXPECT_EQ(set.code, kOk) << set.err;
  EXPECT_EQ(set.out, "config shop is set; a function has it that lists it in spec.config\n");
  EXPECT_EQ(config("shop", "motto"), "a=b c");
  EXPECT_THAT(run({"config", "list"}).out, HasSubstr("shop  currency,motto  59s"));
  EXPECT_EQ(run({"config", "get"}).out, run({"config", "list"}).out);
  EXPECT_EQ(run({"config", "get", "shop"}).out, "currency=GBP\nmotto=a=b c\n");
  EXPECT_EQ(run({"config", "get", "shop", "currency"}).out, "GBP\n");
  EXPECT_EQ(run({"config", "get", "shop", "none"}).code, kNotFound);
  plane_.config_and_secrets.objects[{ObjectKind::kConfig, "shop"}].used_by = {"stock"};
  EXPECT_EQ(run({"config", "unset", "shop", "motto"}).out,
            "config shop is changed; pods of stock start anew\n");
  EXPECT_EQ(run({"config", "get", "shop"}).out, "currency=GBP\n");
}

TEST_F(SettingsCli, ASecretComesFromTheInputOrAFileAndIsNeverPrinted) {
  input_ = "hunter2\n";
  const Printed set = run({"secret", "set", "bank"});
  EXPECT_EQ(set.code, kOk) << set.err;
  EXPECT_THAT(set.out, HasSubstr("secret bank is set, 7 bytes in value; "));
  EXPECT_EQ(secret("bank", "value"), "hunter2");
  EXPECT_EQ(run({"secret", "set", "bank", "pem", "--from-file", write("pem", "line\n")}).code, kOk);
  EXPECT_EQ(secret("bank", "pem"), "line\n");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"secret", "list"}, {"secret", "list", "-o", "json"}}) {
    const Printed listed = run(words);
    EXPECT_THAT(listed.out, HasSubstr("pem"));
    EXPECT_THAT(listed.out + listed.err, Not(HasSubstr("hunter2")));
  }
}

TEST_F(SettingsCli, ASecretIsNotReplacedByNothing) {
  input_ = "hunter2";
  ASSERT_EQ(run({"secret", "set", "bank"}).code, kOk);
  for (const char* empty : {"", "\n", "\r\n"}) {
    input_ = empty;
    const Printed refused = run({"secret", "set", "bank"});
    EXPECT_EQ(refused.code, kUsage);
    EXPECT_THAT(refused.err, HasSubstr("secret set bank: the value is empty; nothing was changed"));
  }
  const std::string empty = write("empty", "");
  const Printed refused = run({"secret", "set", "bank", "--from-file", empty});
  EXPECT_EQ(refused.code, kUsage);
  EXPECT_THAT(refused.err, HasSubstr("is empty, " + empty + " is; nothing was changed"));
  const Printed folder = run({"secret", "set", "bank", "--from-file", folder_});
  EXPECT_EQ(folder.code, kUsage);
  EXPECT_THAT(folder.err, HasSubstr("read " + folder_ + ": it is a folder"));
  EXPECT_EQ(run({"secret", "set", "bank", "--from-file", "/dev/null"}).code, kUsage);
  const Printed absent = run({"secret", "set", "bank", "--from-file", folder_ + "/absent"});
  EXPECT_EQ(absent.code, kFailed);
  EXPECT_THAT(absent.err, HasSubstr("No such file"));
  EXPECT_EQ(secret("bank", "value"), "hunter2");
}

TEST_F(SettingsCli, AValueOnTheCommandLineIsRefusedAndNotRepeated) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"secret", "set", "bank", "value", "hunter2"},
        {"secret", "set", "bank", "value=hunter2"}}) {
    const Printed refused = run(words);
    EXPECT_EQ(refused.code, kUsage);
    EXPECT_THAT(refused.err, HasSubstr("never given on the command line"));
    EXPECT_THAT(refused.err, Not(HasSubstr("hunter2")));
  }
}

TEST_F(SettingsCli, WhatIsInUseIsDeletedByForce) {
  plane_.config_and_secrets.objects[{ObjectKind::kSecret, "bank"}] = {{{"a", "x"}, {"b", "y"}},
                                                                      {"payment"}};
  EXPECT_EQ(run({"secret", "delete", "bank", "a"}).out, "secret bank: key a is deleted\n");
  EXPECT_EQ(run({"secret", "delete", "bank"}).code, kFailed);
  EXPECT_EQ(run({"secret", "delete", "bank", "--force"}).out, "secret bank is deleted\n");
  EXPECT_EQ(run({"secret", "delete", "bank"}).code, kNotFound);
}

TEST_F(SettingsCli, OtherNamespacesAreNamedByAnOption) {
  EXPECT_EQ(run({"config", "set", "-n", "tests", "shop", "a=1"}).code, kNotFound);
  plane_.namespaces["tests"] = {{"tests"}};
  EXPECT_EQ(run({"config", "set", "-n", "tests", "shop", "a=1"}).code, kOk);
  EXPECT_EQ(config("shop.tests", "a"), "1");
  EXPECT_THAT(run({"config", "list"}).out, HasSubstr("no config"));
  EXPECT_THAT(run({"config", "list", "-n", "tests"}).out, HasSubstr("shop"));
  EXPECT_THAT(run({"config", "list", "-A"}).out, HasSubstr("NAMESPACE  NAME"));
}

TEST_F(SettingsCli, WrongWordsAreExplained) {
  EXPECT_THAT(run({"secret", "get", "bank"}).err,
              HasSubstr("secret 'get': there are set, list, delete, rotate-key"));
  EXPECT_THAT(run({"config", "set", "shop", "currency"}).err, HasSubstr("is not KEY=VALUE"));
  EXPECT_THAT(run({"config", "set", "shop"}).err, HasSubstr("KEY=VALUE is missing"));
  EXPECT_THAT(run({"config", "delete"}).err, HasSubstr("NAME is missing"));
  EXPECT_THAT(run({"secret", "rotate-key"}).out, HasSubstr("sealed with key"));
}

}  // namespace
}  // namespace subito::cli
