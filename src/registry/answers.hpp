// What each operation does and answers; Registry chooses among them.
#pragma once

#include <functional>
#include <string>

#include "base/error.hpp"
#include "registry/arguments.hpp"
#include "registry/catalog.hpp"
#include "registry/entities.hpp"
#include "registry/store.hpp"

#include <boost/json/object.hpp>

namespace registry {

using Answer = base::Result<boost::json::object>;

Answer get_model(const Catalog& catalog, const Arguments& arguments);
Answer get_latest_versions(const Catalog& catalog, const Arguments& arguments);
Answer get_version(const Catalog& catalog, const Arguments& arguments);
Answer get_version_by_alias(const Catalog& catalog, const Arguments& arguments);
Answer get_download_uri(const Catalog& catalog, const Arguments& arguments);
Answer search_models(const Catalog& catalog, const Arguments& arguments);
Answer search_versions(const Catalog& catalog, const Arguments& arguments);

struct Change {
    Writer& writer;
    Catalog catalog;  // over the same writer
    Timestamp now;
    std::string user;
};

// Puts those of a model's versions that `rewrite` changes, which answers whether it did; they count as updated now.
base::Result<void> rewrite_versions(const Change& change,
                                    const ModelKey& key,
                                    const std::function<bool(ModelVersion&)>& rewrite);

Answer create_model(const Change& change, const Arguments& arguments);
Answer rename_model(const Change& change, const Arguments& arguments);
Answer update_model(const Change& change, const Arguments& arguments);
Answer delete_model(const Change& change, const Arguments& arguments);
Answer set_model_tag(const Change& change, const Arguments& arguments);
Answer delete_model_tag(const Change& change, const Arguments& arguments);
Answer set_alias(const Change& change, const Arguments& arguments);
Answer delete_alias(const Change& change, const Arguments& arguments);

Answer create_version(const Change& change, const Arguments& arguments);
Answer update_version(const Change& change, const Arguments& arguments);
Answer transition_stage(const Change& change, const Arguments& arguments);
Answer delete_version(const Change& change, const Arguments& arguments);
Answer set_version_tag(const Change& change, const Arguments& arguments);
Answer delete_version_tag(const Change& change, const Arguments& arguments);

}  // namespace registry
