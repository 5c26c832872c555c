// What one process serves, without the process.
#include "runtime/sdk/listen_service.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace subito::sdk {
namespace {

TEST(ListenServiceTest, ANameOrARouteThatTwoHaveIsRefused) {
  const Handler none = [](const Request&, Context&) { return Response(204); };
  EXPECT_THROW(ListenService({{"a", none}, {"a", none}}), std::invalid_argument);
  EXPECT_THROW(ListenService({{"a", none, {"/x"}}, {"b", none, {"/x/"}}}), std::invalid_argument);
  EXPECT_THROW(ListenService({{"a", none, {"/"}}, {"b", none, {"/"}}}), std::invalid_argument);
  EXPECT_NO_THROW(ListenService({{"a", none, {"/x"}}, {"b", none, {"/x/y", "/"}}}));
}

}  // namespace
}  // namespace subito::sdk
