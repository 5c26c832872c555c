// Config objects and secrets as the JSON of the API.
#include "deploy/api/json_text.h"
#include "deploy/api/time_text.h"
#include "deploy/api/views.h"

namespace subito::api {

namespace {

nlohmann::ordered_json object_json(const ObjectView& view) {
  const store::ObjectRecord& record = view.record;
  nlohmann::ordered_json json = {{"name", record.id.name},
                                 {"namespace", record.id.name_space},
                                 {"createdAt", time_text(record.created_unix_ns)},
                                 {"changedAt", time_text(record.changed_unix_ns)},
                                 {"keys", nlohmann::ordered_json::array()},
                                 {"usedBy", view.used_by}};
  for (const store::KeyRecord& key : record.keys) {
    json["keys"].push_back(
        {{"key", key.key}, {"bytes", key.bytes}, {"changedAt", time_text(key.changed_unix_ns)}});
  }
  return json;
}

}  // namespace

std::string to_json(const ObjectView& view) {
  nlohmann::ordered_json json = object_json(view);
  if (view.record.id.kind == ObjectKind::kConfig) json["data"] = view.data;
  return json_text(json);
}

std::string to_json(const std::vector<ObjectView>& views) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ObjectView& view : views) list.push_back(object_json(view));
  return json_text({{"items", std::move(list)}});
}

}  // namespace subito::api
