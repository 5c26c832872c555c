#include "functions/catalogue/search.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "functions/catalogue/seed.h"

namespace shop {
namespace {

using subito::Request;

std::vector<Product> all() {
  const auto seed = seed_products();
  return {seed.begin(), seed.end()};
}

Search search_of(const std::string& query) {
  return read_search(Request("GET", "/products?" + query));
}

std::string ids(const Page& page) {
  std::string text;
  for (const Product& product : page.products) text += product.id;
  return text;
}

std::string found(const std::string& query) {
  return ids(find_page(all(), search_of(query)));
}

std::string refusal(const std::string& query) {
  try {
    search_of(query);
    return "taken";
  } catch (const subito::HttpError& error) {
    EXPECT_EQ(error.status(), 400);
    return error.type();
  }
}

// What a client makes of Link: the query between "?" and ">".
std::string next_of(const Page& page, const Search& search) {
  if (!page.more) return "";
  const std::string link = link_to_next(page, search);
  EXPECT_TRUE(link.starts_with("</products?") && link.ends_with(">; rel=\"next\"")) << link;
  return link.substr(11, link.find('>') - 11);
}

TEST(SearchTest, FindsByWordsAndTag) {
  EXPECT_EQ(found(""), "12345");
  EXPECT_EQ(found("q=ANVIL"), "3");
  EXPECT_EQ(found("q=grade"), "24");
  EXPECT_EQ(found("tag=tools"), "35");
  EXPECT_EQ(found("tag=tools&q=multi"), "5");
  EXPECT_EQ(found("tag=tool"), "");
}

TEST(SearchTest, SortsBothWays) {
  EXPECT_EQ(found("sort=id"), "12345");
  EXPECT_EQ(found("sort=-id"), "54321");
  EXPECT_EQ(found("sort=name"), "34521");
  EXPECT_EQ(found("sort=-name"), "12543");
  EXPECT_EQ(found("sort=price"), "14235");
  EXPECT_EQ(found("sort=-price"), "53241");
}

TEST(SearchTest, RefusesWhatItDoesNotKnow) {
  for (const char* limit : {"0", "-1", "101", "x", "", "1.5", "99999999999999999999", "1%20"}) {
    EXPECT_EQ(refusal("limit=" + std::string(limit)), "bad-limit") << limit;
  }
  for (const char* sort : {"", "-", "sku", "--id", "Name"}) {
    EXPECT_EQ(refusal("sort=" + std::string(sort)), "bad-sort") << sort;
  }
  for (const char* cursor : {"", "x", "00", "69640a31"}) {
    EXPECT_EQ(refusal("cursor=" + std::string(cursor)), "bad-cursor") << cursor;
  }
  EXPECT_EQ(refusal("tag=a%20b"), "bad-tag");
  EXPECT_EQ(refusal("q=" + std::string(101, 'a')), "bad-query");
}

TEST(SearchTest, ACursorIsForTheOrderItWasGivenFor) {
  const Search by_name = search_of("sort=name&limit=2");
  const std::string next = next_of(find_page(all(), by_name), by_name);
  EXPECT_EQ(found(next), "52");
  EXPECT_EQ(refusal("sort=price&" + next.substr(next.find("cursor="))), "bad-cursor");
}

TEST(SearchTest, WalkingPagesGivesWhatWasThereOnceWhateverComesAndGoes) {
  std::mt19937 random(7);
  for (const char* sort : {"id", "-id", "name", "-name", "price", "-price"}) {
    for (int limit = 1; limit <= 7; ++limit) {
      std::vector<Product> products;
      const auto add = [&](const std::string& id) {
        const std::string name(1, static_cast<char>('A' + random() % 40));
        products.push_back({id, name, "", static_cast<std::int64_t>(random() % 9 + 1), id, {}, 1});
      };
      std::set<std::string> first;
      for (int i = 1; i <= 30; ++i) add(*first.insert(std::to_string(i)).first);
      std::multiset<std::string> met;
      std::string query = "sort=" + std::string(sort) + "&limit=" + std::to_string(limit);
      for (int round = 100; !query.empty(); ++round) {
        const Search search = search_of(query);
        const Page page = find_page(products, search);
        EXPECT_LE(page.products.size(), static_cast<std::size_t>(limit));
        for (const Product& product : page.products) met.insert(product.id);
        query = next_of(page, search);
        if (round < 120) add(std::to_string(round));
      }
      for (const std::string& id : first) EXPECT_EQ(met.count(id), 1u) << id << " by " << sort;
      for (const std::string& id : met) EXPECT_EQ(met.count(id), 1u) << id << " by " << sort;
    }
  }
}

TEST(SearchTest, TheLinkKeepsTheWholeQuestion) {
  const Search search = search_of("q=a%26%C3%A9&tag=x&sort=-price&limit=1");
  const Product product{"3", "Wire a&é", "", 5, "1", {"x"}, 1};
  const Page page{{product}, true};
  const Search next = search_of(next_of(page, search));
  EXPECT_EQ(next.text, search.text);
  EXPECT_EQ(next.tag, "x");
  EXPECT_EQ(next.sort, SortBy::kPrice);
  EXPECT_TRUE(next.descending);
  EXPECT_EQ(next.limit, 1u);
  ASSERT_TRUE(next.after.has_value());
  EXPECT_EQ(next.after->id, "3");
  EXPECT_EQ(next.after->price_minor, 5);
}

}  // namespace
}  // namespace shop
