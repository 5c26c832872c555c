#include "bench/shop/shop_bed.h"

#include <filesystem>
#include <utility>

namespace subito::bench {

namespace {

namespace files = std::filesystem;

constexpr const char* kNeeded[] = {"catalogue", "checkout", "shopfront", "stock"};
constexpr const char* kHealth = "/healthz";

HttpRequest get_of(const std::string& path) {
  return {"GET", path, {}, ""};
}

HttpRequest post_of(const std::string& path, const std::string& body = {}) {
  HttpRequest request{"POST", path, {}, body};
  if (!body.empty()) request.fields.emplace_back("content-type", "application/json");
  return request;
}

}  // namespace

std::string shop_folder(const std::string& asked) {
  if (!asked.empty()) return asked;
  return files::path(own_program()).parent_path().parent_path() / "shop";
}

Status check_shop_folder(const std::string& folder) {
  for (const std::string name : kNeeded) {
    const files::path manifest = files::path(folder) / (name + ".yaml");
    std::error_code error;
    if (files::exists(manifest, error)) continue;
    return fail(ErrorCode::kNotFound, "find shop: there is no " + manifest.string() +
                                          "; build it with `ninja -C " +
                                          files::path(folder).parent_path().string() +
                                          " shop`, or name a built one with --shop FOLDER");
  }
  return ok();
}

Result<ShopBed> ShopBed::make(const ShopOptions& options) {
  const std::string folder = shop_folder(options.shop);
  RETURN_IF_ERROR(check_shop_folder(folder));
  ASSIGN_OR_RETURN(ShopRedis redis, ShopRedis::prepare());
  ASSIGN_OR_RETURN(Bed bed, Bed::make(options.binary, options.pool_size, redis.node_options()));
  RETURN_IF_ERROR(redis.connect(bed.node.data_folder()));
  std::error_code error;
  ShopBed shop(std::move(redis), std::move(bed),
               files::exists(files::path(folder) / "payment.yaml", error));
  RETURN_IF_ERROR(shop.open_shop(folder));
  return shop;
}

Status ShopBed::open_shop(const std::string& folder) {
  RETURN_IF_ERROR(bed_.api.deploy_folder(folder));
  RETURN_IF_ERROR(operate(post_of("/function/shopfront/seed")));
  ASSIGN_OR_RETURN(const Books seeded, books());
  const std::string body = "{\"quantity\":" + std::to_string(kRestock) + "}";
  for (const auto& [product, level] : seeded.levels) {
    products_.push_back(product);
    RETURN_IF_ERROR(operate(post_of("/function/stock/stocks/" + product + "/restock", body)));
  }
  if (products_.empty()) return fail(ErrorCode::kFailedPrecondition, "seed shop: no product came");
  return ok();
}

Result<HttpReply> ShopBed::ask(const HttpRequest& request) {
  if (client_) {
    auto reply = client_->call(request);
    if (reply || reply.error().code == ErrorCode::kCancelled) return reply;
    client_.reset();
  }
  ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(bed_.gateway));
  client_.emplace(std::move(client));
  auto reply = client_->call(request);
  if (!reply) client_.reset();
  return reply;
}

Result<ShopBed::Timed> ShopBed::time(const HttpRequest& request) {
  RETURN_IF_ERROR(ask(get_of(kHealth)));
  const auto begin = std::chrono::steady_clock::now();
  auto reply = client_->call(request);
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - begin;
  if (!reply) {
    client_.reset();
    return std::move(reply).error();
  }
  return Timed{*std::move(reply), took.count()};
}

Result<std::string> ShopBed::operate(const HttpRequest& request) {
  ASSIGN_OR_RETURN(HttpReply reply, bed_.api.ask(request));
  if (reply.status == 200) return std::move(reply.body);
  return fail(ErrorCode::kFailedPrecondition, request.method + " " + request.path + ": status " +
                                                  std::to_string(reply.status) + ": " +
                                                  reply.body.substr(0, 300));
}

Result<Books> ShopBed::books() {
  Books books;
  ASSIGN_OR_RETURN(const std::string levels, operate(get_of("/function/stock/stocks")));
  ASSIGN_OR_RETURN(books.levels, read_levels(levels));
  if (pays_) {
    ASSIGN_OR_RETURN(const std::string guest, operate(get_of("/function/payment/customers/guest")));
    ASSIGN_OR_RETURN(books.guest, read_credit(guest));
  }
  return books;
}

}  // namespace subito::bench
