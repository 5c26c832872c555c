#include "functions/shopfront/template.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace shop {
namespace {

TEST(TemplateTest, EscapesWhatIsNotSaidToBeHtml) {
  EXPECT_EQ(render("<b title=\"{{name}}\">{{&html}}</b>", {{"name", "\"<&'>"}, {"html", "<i>"}}),
            "<b title=\"&quot;&lt;&amp;&#39;&gt;\"><i></b>");
  EXPECT_EQ(escaped("plain £ text"), "plain £ text");
}

TEST(TemplateTest, AValueIsNoTemplate) {
  EXPECT_EQ(render("{{a}} {{a}}", {{"a", "{{a}}"}}), "{{a}} {{a}}");
}

TEST(TemplateTest, PlacesAndValuesBelongTogether) {
  EXPECT_THROW(render("{{a}}", {}), std::logic_error);
  EXPECT_THROW(render("", {{"a", "1"}}), std::logic_error);
  EXPECT_THROW(render("{{a", {{"a", "1"}}), std::logic_error);
}

}  // namespace
}  // namespace shop
