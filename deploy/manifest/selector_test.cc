#include "deploy/manifest/selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace subito::manifest {
namespace {

using testing::HasSubstr;
using Labels = std::map<std::string, std::string>;

bool selects(const std::string& text, const Labels& labels) {
  const auto selector = Selector::parse(text);
  EXPECT_TRUE(selector) << text << ": " << (selector ? "" : selector.error().message);
  return selector && selector->selects(labels);
}

std::string fault(const std::string& text) {
  const auto selector = Selector::parse(text);
  return selector ? "none" : selector.error().message;
}

TEST(SelectorTest, SelectsByEqualityAndByItsOpposite) {
  const Labels web = {{"app", "shop"}, {"tier", "web"}};
  const Labels cache = {{"app", "shop"}, {"tier", "cache"}};
  EXPECT_TRUE(selects("app=shop", web));
  EXPECT_TRUE(selects("app==shop", web));
  EXPECT_TRUE(selects(" app = shop , tier != web ", cache));
  EXPECT_FALSE(selects("app=shop,tier!=web", web));
  EXPECT_TRUE(selects("tier!=web", {})) << "as Kubernetes does: no label is not that label";
  EXPECT_FALSE(selects("app=shop", {{"app", "shop2"}}));
}

TEST(SelectorTest, SelectsBySetsAndByPresence) {
  const Labels web = {{"tier", "web"}};
  EXPECT_TRUE(selects("tier in (web,cache)", web));
  EXPECT_TRUE(selects("tier in ( cache , web ),tier", web));
  EXPECT_FALSE(selects("tier notin (web,cache)", web));
  EXPECT_TRUE(selects("tier notin (cache)", web));
  EXPECT_TRUE(selects("tier notin (cache)", {}));
  EXPECT_FALSE(selects("tier in (cache)", {}));
  EXPECT_TRUE(selects("tier", web));
  EXPECT_FALSE(selects("!tier", web));
  EXPECT_TRUE(selects("!tier", {}));
}

TEST(SelectorTest, KnowsEmptyValuesAndDomains) {
  EXPECT_TRUE(selects("canary=", {{"canary", ""}}));
  EXPECT_FALSE(selects("canary=", {}));
  EXPECT_TRUE(selects("subito.dev/tier=1", {{"subito.dev/tier", "1"}}));
  EXPECT_TRUE(selects("", {})) << "everything";
  EXPECT_TRUE(selects("in in (in)", {{"in", "in"}}));
}

TEST(SelectorTest, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(fault("app=shop tier=web"), HasSubstr("expected ',' at 'tier=web'"));
  EXPECT_THAT(fault("app=shop,"), HasSubstr("ends with ','"));
  EXPECT_THAT(fault(",app"), HasSubstr("expected the key of a label at ',app'"));
  EXPECT_THAT(fault("!"), HasSubstr("expected the key of a label at the end"));
  EXPECT_THAT(fault("tier in web"), HasSubstr("expected '(' at 'web'"));
  EXPECT_THAT(fault("tier in (web"), HasSubstr("expected ')' at the end"));
  EXPECT_THAT(fault("tier has web"), HasSubstr("expected =, !=, in or notin at 'has web'"));
  EXPECT_THAT(fault("ti$er=web"), HasSubstr("'ti$er' that is not allowed"));
  EXPECT_THAT(fault("tier=-web"), HasSubstr("the value '-web'"));
  EXPECT_THAT(fault("app=shop=x"), HasSubstr("expected ',' at '=x'"));
  EXPECT_THAT(fault("x"), "none");
  EXPECT_THAT(fault("$"), HasSubstr("write app=shop,tier!=web"));
}

TEST(SelectorTest, IsBounded) {
  EXPECT_THAT(fault(std::string(5000, 'a')), HasSubstr("longer than 4096 bytes"));
  std::string many = "a";
  for (int i = 0; i < 64; ++i) many += ",a";
  EXPECT_THAT(fault(many), HasSubstr("more than 64 requirements"));
}

TEST(SelectorTest, LabelsAreThoseOfKubernetes) {
  for (const char* key : {"app", "a", "A.b_c-9", "subito.dev/tier", "x-y.z/a"})
    EXPECT_FALSE(check_label_key(key)) << key;
  for (const char* key : {"", "-a", "a-", "a b", "/a", "a/", "a/b/c", "Sub.dev/a", ".dev/a", "a./b",
                          "a-.b/c", "-a/b"})
    EXPECT_TRUE(check_label_key(key)) << key;
  EXPECT_FALSE(check_label_key(std::string(63, 'a')));
  EXPECT_TRUE(check_label_key(std::string(64, 'a')));
  EXPECT_FALSE(check_label_value(""));
  EXPECT_FALSE(check_label_value("v1.2_3-x"));
  EXPECT_TRUE(check_label_value("_x"));
  EXPECT_TRUE(check_label_value(std::string(64, 'a')));
}

}  // namespace
}  // namespace subito::manifest
