#include "functions/catalogue/catalogue.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "functions/catalogue/product.h"
#include "functions/catalogue/search.h"
#include "functions/catalogue/seed.h"
#include "functions/catalogue/store.h"
#include "functions/shop/etag.h"
#include "functions/shop/lines.h"
#include "functions/shop/service.h"

namespace shop {
namespace {

using subito::Context;
using subito::HttpError;
using subito::Request;
using subito::Response;

// How often a change may find that another was quicker.
constexpr int kChangeTriesMax = 100;

// Each once, in the order of their first mention.
std::vector<std::string> ids_of_query(std::string_view text) {
  std::vector<std::string> ids;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string id(text.substr(0, comma));
    if (!is_id(id) || ids.size() == kLinesMax) {
      throw HttpError(400, "bad-ids", "\"ids\" is 1 to 100 product ids with commas between");
    }
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(std::move(id));
    if (comma == text.npos) return ids;
    text.remove_prefix(comma + 1);
  }
}

HttpError unknown_product_of(const std::string& id) {
  return HttpError(404, "unknown-product", "there is no product " + id);
}

Response answer_of_product(const Product& product, int status = 200) {
  JsonWriter out;
  write_product(out, product);
  return Response::json(out.take(), status);
}

Response list_products(const Request& request, Context& context) {
  const Search search = read_search(request);
  ProductStore store(context.redis("redis"));
  Page page;
  if (const auto wanted = request.query("ids")) {
    page.products = store.load(ids_of_query(*wanted));
  } else {
    page = find_page(store.load(store.all_ids()), search);
  }
  JsonWriter out;
  out.open_array();
  for (const Product& product : page.products) write_product(out, product);
  Response answer = Response::json(out.close_array().take());
  if (page.more) answer.header("link", link_to_next(page, search));
  return tagged(request, std::move(answer));
}

Product find_or_refuse(ProductStore& store, const std::string& id) {
  auto product = is_id(id) ? store.find(id) : std::nullopt;
  if (!product) throw unknown_product_of(id);
  return *std::move(product);
}

Response get_product(const Request& request, Context& context) {
  ProductStore store(context.redis("redis"));
  const Product product = find_or_refuse(store, request.param("id"));
  return tagged(request, answer_of_product(product), etag_of_version(product.version));
}

// A repetition is refused for its sku, so that it adds nothing twice.
Response create_product(const Request& request, Context& context) {
  Product product = read_product(read_object(request));
  ProductStore store(context.redis("redis"));
  product.id = store.new_id();
  switch (store.add(product)) {
    case ProductStore::Added::kSkuTaken:
      throw HttpError(409, "sku-taken", "there is a product with the sku " + product.sku);
    case ProductStore::Added::kFull:
      throw HttpError(409, "catalogue-full", "there are 1000 products already");
    case ProductStore::Added::kThere:
      throw subito::RedisError("add product: the id was given out before");
    case ProductStore::Added::kDone:
      break;
  }
  return answer_of_product(product, 201)
      .header("location", "/products/" + product.id)
      .header("etag", etag_of_version(product.version));
}

// Runs `change` on the product as it would be next: what the request names by If-Match, or with
// "*" what is there.
template <typename Change>
Product change_product(const Request& request, Context& context, Change change) {
  const std::vector<std::int64_t> wanted = versions_of_if_match(request);
  ProductStore store(context.redis("redis"));
  for (int i = 0; i < kChangeTriesMax; ++i) {
    Product product = find_or_refuse(store, request.param("id"));
    if (!wanted.empty() &&
        std::find(wanted.begin(), wanted.end(), product.version) == wanted.end()) {
      throw HttpError(412, "version-changed",
                      "product " + product.id + " was changed meanwhile: read it again");
    }
    ++product.version;
    switch (change(store, product)) {
      case ProductStore::Changed::kDone:
        return product;
      case ProductStore::Changed::kUnknown:
        throw unknown_product_of(product.id);
      case ProductStore::Changed::kOtherSku:
        throw HttpError(422, "sku-fixed", "\"sku\" is another: that of a product never changes");
      case ProductStore::Changed::kOtherVersion:
        continue;
    }
  }
  throw subito::RedisError("change product: others were quicker");
}

Response put_product(const Request& request, Context& context) {
  const Product wanted = read_product(read_object(request));
  const Product product =
      change_product(request, context, [&](ProductStore& store, Product& current) {
        Product next = wanted;
        next.id = current.id;
        next.version = current.version;
        current = next;
        return store.change(current);
      });
  return answer_of_product(product).header("etag", etag_of_version(product.version));
}

Response delete_product(const Request& request, Context& context) {
  change_product(request, context,
                 [](ProductStore& store, const Product& product) { return store.remove(product); });
  return Response(204);
}

// Adds what was never there and changes nothing that is: what was deleted stays so.
Response seed(const Request&, Context& context) {
  require_seed_setting(context);
  ProductStore store(context.redis("redis"));
  std::int64_t added = 0;
  for (const Product& product : seed_products()) {
    added += store.add(product) == ProductStore::Added::kDone ? 1 : 0;
  }
  JsonWriter out;
  return Response::json(out.open_object().key("added").integer(added).close_object().take());
}

}  // namespace

subito::Router catalogue_router() {
  subito::Router router;
  router.get("/products", guarded(list_products));
  router.post("/products", guarded(create_product));
  router.get("/products/{id}", guarded(get_product));
  router.put("/products/{id}", guarded(put_product));
  router.del("/products/{id}", guarded(delete_product));
  router.post("/seed", guarded(seed));
  add_health(router, check_redis);
  add_openapi(router, catalogue_openapi());
  return router;
}

}  // namespace shop
