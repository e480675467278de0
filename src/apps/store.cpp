#include "apps/store.hpp"

#include "storage/pepper_file.hpp"

namespace apps {

namespace {

std::unique_ptr<storage::SqliteDatabase> open(const ServiceSettings& settings) {
    if (settings.data_dir.empty()) {
        throw base::ConfigError("no data folder: set HOKUSAI_DATA_DIR, or give --data DIR");
    }
    return or_config_error(storage::open_database(settings.data_dir, database_path(settings)),
                           "cannot use the data folder " + settings.data_dir);
}

}  // namespace

Store::Store(const ServiceSettings& settings)
    : database(open(settings)),
      keys(*database),
      audit_log(*database),
      pepper(or_config_error(storage::load_or_create_pepper(settings.data_dir), "cannot use the pepper file")) {
    auth::KeyHasher hasher(pepper);
    or_config_error(storage::verify_pepper(*database, hasher), "cannot use the keys of " + settings.data_dir);
}

}  // namespace apps
