// SchemaCheck: JSON against the schemas of openapi.yaml, for the test that holds the file true.
// Knows the keywords that the file uses (type, properties, additionalProperties, required, items,
// enum, $ref, minimum, maximum, description) and fails on any other, so that none is silently not
// checked. Objects may have no property that their schema does not name, if it names any.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace subito::api {

class OpenApi {
 public:
  // The file, as JSON.
  explicit OpenApi(const std::string& path);

  // "GET /v1/pods" of every operation.
  std::vector<std::string> operations() const;
  // The names of the query parameters of an operation.
  std::vector<std::string> query_of(const std::string& path, const std::string& method) const;
  // The text of an x- field of an operation; empty: it has none.
  std::string extension(const std::string& path, const std::string& method,
                        const std::string& key) const;
  // Requests that the schema of an operation's body forbids, each `good` but for one thing: a field
  // that is unknown, missing, of another type, or out of its bounds.
  std::vector<nlohmann::json> forbidden_bodies(const std::string& path, const std::string& method,
                                               const nlohmann::json& good) const;
  // What is wrong with an answer, one a line; empty: as described. `content_type` without
  // parameters, empty when there is no body; lines of NDJSON are checked one by one.
  std::string wrong_with(const std::string& path, const std::string& method, int status,
                         const std::string& content_type, const std::string& body) const;

 private:
  const nlohmann::json& resolve(const nlohmann::json& node) const;
  void check(const nlohmann::json& schema, const nlohmann::json& value, const std::string& at,
             std::string& wrong) const;
  void check_object(const nlohmann::json& schema, const nlohmann::json& value,
                    const std::string& at, std::string& wrong) const;

  nlohmann::json root_;
};

}  // namespace subito::api
