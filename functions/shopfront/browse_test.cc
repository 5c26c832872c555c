#include "functions/shopfront/browse.h"

#include <gtest/gtest.h>

namespace shop {
namespace {

Browse browse(const std::string& target) {
  return browse_of(subito::Request("GET", target));
}

TEST(BrowseTest, ReadsTheAddressAndWritesItAgain) {
  const Browse found = browse("/?q=a%20%26%20b&tag=small&sort=-price&cursor=x%3D1");
  EXPECT_EQ(found, (Browse{"a & b", "small", "-price", "x=1"}));
  EXPECT_EQ(page_target(found), "/?q=a%20%26%20b&tag=small&sort=-price&cursor=x%3D1");
  EXPECT_EQ(browse(page_target(found)), found);
  EXPECT_EQ(catalogue_target(found),
            "/products?limit=48&q=a%20%26%20b&tag=small&sort=-price&cursor=x%3D1");
}

TEST(BrowseTest, WithNothingLookedForIsThePlainAddress) {
  EXPECT_EQ(page_target(browse("/")), "/");
  EXPECT_EQ(page_target(browse("/?q=&sort=&unknown=1")), "/");
  EXPECT_EQ(catalogue_target(browse("/")), "/products?limit=48");
}

TEST(BrowseTest, AWrongSortIsTheFirstAndALongSearchIsCutBetweenCharacters) {
  EXPECT_EQ(browse("/?sort=colour").sort, "");
  std::string pounds;
  for (int i = 0; i < 34; ++i) pounds += "%E2%82%AC";  // 3 bytes each
  EXPECT_EQ(browse("/?q=" + pounds).search.size(), 99u);
}

TEST(BrowseTest, FindsTheNextCursorInALink) {
  EXPECT_EQ(next_cursor("</products?limit=48&cursor=a%2Fb>; rel=\"next\""), "a/b");
  EXPECT_EQ(next_cursor("<?sort=id&limit=48&cursor=7>; rel=\"next\""), "7");
  EXPECT_EQ(next_cursor("</products?cursor=a>; rel=\"prev\""), "");
  for (const char* wrong : {"", "<", "<>; rel=\"next\"", "<http://other/?cursor=a>; rel=\"next\"",
                            "</products>; rel=\"next\"", "<//\x01?cursor=a>; rel=\"next\""}) {
    EXPECT_EQ(next_cursor(wrong), "") << wrong;
  }
}

}  // namespace
}  // namespace shop
