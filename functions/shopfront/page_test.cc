#include "functions/shopfront/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "functions/shopfront/assets.h"

namespace shop {
namespace {

using testing::HasSubstr;
using testing::Not;

Offer offer(const std::string& id, std::optional<std::int64_t> available) {
  Offer made;
  made.id = id;
  made.name = "Widget";
  made.description = "Premium";
  made.price_minor = 120;
  made.available = available;
  return made;
}

PageView view_of(std::vector<Offer> offers) {
  PageView view;
  view.offers.list = std::move(offers);
  return view;
}

TEST(PageTest, TellsNamePriceAndWhatIsLeft) {
  const std::string page = to_html(view_of({offer("1", 5)}));
  EXPECT_THAT(page, HasSubstr("<title>Subito Shop</title>"));
  EXPECT_THAT(page, HasSubstr("<p class=\"price\">£1.20</p>"));
  EXPECT_THAT(page, HasSubstr("data-stock=\"some\">5 in stock"));
  EXPECT_THAT(page, HasSubstr("data-price=\"120\" data-available=\"5\""));
  EXPECT_THAT(page, HasSubstr("id=\"degraded\" role=\"status\" hidden>"));
  EXPECT_THAT(page, Not(HasSubstr("{{")));
}

TEST(PageTest, TellsFewNoneAndUnknown) {
  EXPECT_THAT(to_html(view_of({offer("1", 3)})), HasSubstr("data-stock=\"few\">Only 3 left"));
  const std::string none = to_html(view_of({offer("1", 0)}));
  EXPECT_THAT(none, HasSubstr("data-stock=\"none\">Sold out"));
  EXPECT_THAT(none, HasSubstr("type=\"button\" disabled>"));
  PageView away = view_of({offer("1", std::nullopt)});
  away.offers.degraded = true;
  const std::string unknown = to_html(away);
  EXPECT_THAT(unknown, HasSubstr("data-stock=\"unknown\">Stock not known right now"));
  EXPECT_THAT(unknown, HasSubstr("id=\"degraded\" role=\"status\" >"));
  EXPECT_THAT(unknown, Not(HasSubstr("type=\"button\" disabled>")));
}

TEST(PageTest, EscapesWhateverAPersonWrote) {
  Offer evil = offer("1", 5);
  evil.name = evil.description = "<script>\"'&";
  evil.tags = {"<b>&"};
  PageView view = view_of({evil});
  view.browse = {"<i>\"", "<u>\"", "", "<s>\""};
  view.next_cursor = "<a>\"";
  const std::string page = to_html(view);
  for (const char* raw : {"<script>\"", "<b>&", "<i>", "<u>", "<s>", "<a>"}) {
    EXPECT_THAT(page, Not(HasSubstr(raw)));
  }
  EXPECT_THAT(page, HasSubstr("<h2>&lt;script&gt;&quot;&#39;&amp;</h2>"));
  EXPECT_THAT(page, HasSubstr("value=\"&lt;i&gt;&quot;\""));
  EXPECT_THAT(page, HasSubstr("<a href=\"/?tag=%3Cb%3E%26\">&lt;b&gt;&amp;</a>"));
}

TEST(PageTest, SearchAndSortStandAsTheyWereChosen) {
  PageView view = view_of({});
  view.browse.search = "nail";
  view.browse.sort = "-price";
  const std::string page = to_html(view);
  EXPECT_THAT(page, HasSubstr("Nothing found for “nail”. <a href=\"/\">Show all products</a>"));
  EXPECT_THAT(page, HasSubstr("<option value=\"-price\" selected>"));
  view.browse = {};
  EXPECT_THAT(to_html(view), HasSubstr("The shelves are empty"));
}

TEST(PageTest, LeadsToTheNextPage) {
  PageView view = view_of({offer("1", 5)});
  EXPECT_THAT(to_html(view), Not(HasSubstr("More products")));
  view.next_cursor = "a=1";
  view.browse.search = "w";
  EXPECT_THAT(to_html(view), HasSubstr("<a href=\"/?q=w&amp;cursor=a%3D1\">More products</a>"));
}

TEST(PageTest, WithoutTheCatalogueItSaysSoAndLeadsBack) {
  PageView view;
  view.catalogue_away = true;
  view.browse.search = "w";
  const std::string page = to_html(view);
  EXPECT_THAT(page, HasSubstr("The products cannot be shown right now."));
  EXPECT_THAT(page, HasSubstr("<a href=\"/?q=w\">Try again</a>"));
}

TEST(PageTest, NeedsNothingFromElsewhereAndRunsNoScriptOfItsOwn) {
  const std::string page = to_html(view_of({offer("1", 5)}));
  EXPECT_THAT(page, Not(HasSubstr("http:")));
  EXPECT_THAT(page, Not(HasSubstr("https:")));
  EXPECT_THAT(page, Not(HasSubstr("style=")));
  EXPECT_THAT(page, Not(HasSubstr("onclick")));
  EXPECT_THAT(page, HasSubstr("src=\"/assets/page.js?v=" + std::string(asset("page.js").hash)));
  EXPECT_THAT(page, HasSubstr("JavaScript, which is off"));
  for (const char* way : {"innerHTML", "outerHTML", "insertAdjacentHTML", "eval("}) {
    EXPECT_EQ(asset("page.js").text.find(way), std::string_view::npos) << way;
  }
}

}  // namespace
}  // namespace shop
