#include "apps/registry_command.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "apps/module_settings.hpp"
#include "registry_client/http_api.hpp"
#include "registry_copy/atomic_file.hpp"
#include "registry_copy/copy.hpp"
#include "registry_copy/lines.hpp"
#include "registry_copy/server_source.hpp"
#include "registry_copy/server_target.hpp"
#include "registry_copy/store.hpp"
#include "storage/data_directory.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/sqlite_database.hpp"
#include "storage/sqlite_registry_store.hpp"

#include <fmt/format.h>

namespace apps {

namespace {

using registry_copy::AtomicFile;
using registry_copy::Existing;
using registry_copy::import_models;
using registry_copy::ImportReport;
using registry_copy::LineReader;
using registry_copy::LineWriter;
using registry_copy::ModelCopy;
using registry_copy::plan_import;
using registry_copy::read_model;
using registry_copy::RegistrySource;
using registry_copy::ServerSource;
using registry_copy::ServerTarget;
using registry_copy::StoreSource;
using registry_copy::StoreTarget;

std::string to_text(const registry::Counts& counts) {
    return fmt::format("{} models, {} versions, {} aliases", counts.models, counts.versions, counts.aliases);
}

// For what answers inside a transaction.
base::Result<void> keep(base::Result<ImportReport> result, ImportReport& kept) {
    if (!result) {
        return std::unexpected(result.error());
    }
    kept = *std::move(result);
    return {};
}

base::Result<config::HttpUrl> parse_url(std::string_view option, const std::string& text) {
    auto url = config::parse_http_url(text);
    return url ? url : std::unexpected(url.error().context(option));
}

using StoreResult = base::Result<std::unique_ptr<storage::SqliteRegistryStore>>;

StoreResult open_in(base::Result<std::unique_ptr<storage::SqliteDatabase>> database) {
    return database ? storage::SqliteRegistryStore::open(*std::move(database), 1) : std::unexpected(database.error());
}

StoreResult open_store(const ServiceSettings& settings) {
    return open_in(storage::open_database(settings.data_dir, database_path(settings)));
}

StoreResult open_replica(const ServiceSettings& settings) {
    return open_in(storage::open_replica_database(settings.data_dir));
}

base::Result<registry::Counts> export_to(std::ostream& out,
                                         RegistrySource& source,
                                         const std::string& name,
                                         base::WallTime now) {
    LineWriter writer(out, name, now);
    const auto written = source.for_each_model([&](const ModelCopy& model) { return writer.write(model); });
    return written ? writer.finish() : std::unexpected(written.error());
}

int export_from(RegistrySource& source,
                const std::string& name,
                const std::string& output,
                base::WallTime now,
                const Console& console) {
    if (output.empty()) {
        const auto counts = export_to(console.out, source, name, now);
        if (!counts) {
            return complain(console, counts.error().message);
        }
        console.errors << fmt::format("exported {} from {}\n", to_text(*counts), name);
        return kDone;
    }
    auto file = AtomicFile::create(output);
    if (!file) {
        return complain(console, file.error().message);
    }
    const auto counts = export_to(file->stream(), source, name, now);
    if (!counts) {
        return complain(console, counts.error().message);
    }
    if (const auto published = file->publish(); !published) {
        return complain(console, published.error().message);
    }
    console.out << fmt::format("exported {} from {} to {}\n", to_text(*counts), name, output);
    return kDone;
}

// A file that can be read twice: the pipe's content is kept in one that has no name.
base::Result<std::unique_ptr<std::istream>> open_input(const std::string& file, std::istream& standard_input) {
    if (file != "-" && !std::filesystem::exists(file)) {
        return base::fail(base::Code::not_found, fmt::format("there is no file {}", file));
    }
    if (std::filesystem::is_regular_file(file)) {
        return std::make_unique<std::ifstream>(file, std::ios::binary);
    }
    std::string name = std::filesystem::temp_directory_path() / "hokusai-import.XXXXXX";
    const storage::FileDescriptor created(::mkostemp(name.data(), O_CLOEXEC));
    if (!created.is_open()) {
        return base::fail(base::Code::unavailable,
                          fmt::format("can't write {}: {}", name, std::generic_category().message(errno)));
    }
    auto kept = std::make_unique<std::fstream>(name, std::ios::binary | std::ios::in | std::ios::out);
    ::unlink(name.c_str());
    std::ifstream pipe(file, std::ios::binary);
    std::istream& in = file == "-" ? standard_input : pipe;
    if (in.peek() != std::istream::traits_type::eof()) {
        *kept << in.rdbuf();
    }
    if (!kept->flush()) {
        return base::fail(base::Code::unavailable, fmt::format("can't keep {} in {}: is the disk full?", file, name));
    }
    return kept;
}

int print(
    const ImportReport& report, const std::string& target, bool is_server, bool is_dry_run, const Console& console) {
    console.out << fmt::format(
        "{} {} into {}", is_dry_run ? "would import" : "imported", to_text(report.added), target);
    if (report.completed > 0) {
        console.out << fmt::format("; {} of the models had been left unfinished", report.completed);
    }
    if (report.skipped > 0) {
        console.out << fmt::format("; {} models are there already", report.skipped);
    }
    console.out << '\n';
    if (is_server && report.added.models > 0) {
        console.out << "Times, users, states and download locations are new: a server sets them itself.\n";
    }
    for (const std::string& left : report.left) {
        console.errors << "hokusai registry: not as in the file: " << left << '\n';
    }
    return report.left.empty() ? kDone : kFailed;
}

base::Result<ImportReport> plan_for_store(LineReader& lines, const ServiceSettings& settings, Existing existing) {
    if (!std::filesystem::exists(database_path(settings))) {
        return plan_import(lines, [](const registry::ModelKey&) { return std::optional<ModelCopy>(); }, existing);
    }
    const auto store = open_store(settings);
    if (!store) {
        return std::unexpected(store.error());
    }
    ImportReport report;
    const auto planned = (*store)->read([&](registry::Reader& reader) {
        const auto find = [&](const registry::ModelKey& key) { return read_model(reader, key); };
        return keep(plan_import(lines, find, existing), report);
    });
    return planned ? base::Result<ImportReport>(report) : std::unexpected(planned.error());
}

base::Result<ImportReport> import_into_store(LineReader& lines, const ServiceSettings& settings, Existing existing) {
    const auto store = open_store(settings);
    if (!store) {
        return std::unexpected(store.error());
    }
    const auto lock = storage::ServiceLock::acquire(settings.data_dir);
    if (!lock) {
        return std::unexpected(
            base::Error{lock.error().code,
                        lock.error().message + "; or import through the running service: --to http://HOST:PORT"});
    }
    ImportReport report;
    const auto written = (*store)->write([&](registry::Writer& writer) -> base::Result<void> {
        StoreTarget target(writer);
        const auto find = [&](const registry::ModelKey& key) { return target.find_model(key); };
        if (const auto plan = plan_import(lines, find, existing); !plan) {
            return std::unexpected(plan.error());
        }
        return keep(import_models(lines, target), report);
    });
    return written ? base::Result<ImportReport>(report) : std::unexpected(written.error());
}

base::Result<ImportReport> import_into_server(LineReader& lines,
                                              registry_client::Api& api,
                                              Existing existing,
                                              bool is_dry_run) {
    ServerTarget target(api);
    auto plan = plan_import(lines, [&](const registry::ModelKey& key) { return target.find_model(key); }, existing);
    if (!plan || is_dry_run) {
        return plan;
    }
    auto report = import_models(lines, target);
    if (!report) {
        report.error().message += "; once that is cured, the same with --existing skip goes on from there";
    }
    return report;
}

}  // namespace

int complain(const Console& console, std::string_view message, int exit_code) {
    console.errors << "hokusai registry: " << message << '\n';
    return exit_code;
}

int registry_export(const ServiceSettings& settings,
                    const RegistryExportRequest& request,
                    base::WallTime now,
                    const Console& console) {
    if (!request.from.empty()) {
        const auto url = parse_url("--from", request.from);
        if (!url) {
            return complain(console, url.error().message, kWrongUsage);
        }
        registry_client::HttpApi api(to_registry_client_settings(settings, *url));
        ServerSource source(api);
        return export_from(source, config::to_text(*url), request.output, now, console);
    }
    if (!std::filesystem::exists(request.replica ? storage::replica_file(settings.data_dir)
                                                 : database_path(settings))) {
        return complain(console,
                        fmt::format("there is no {} in {}: name another folder with --data, or a server with "
                                    "--from http://HOST:PORT",
                                    request.replica ? "replica" : "registry",
                                    settings.data_dir));
    }
    const auto store = request.replica ? open_replica(settings) : open_store(settings);
    if (!store) {
        return complain(console, store.error().message);
    }
    StoreSource source(**store);
    return export_from(source, settings.data_dir, request.output, now, console);
}

int registry_import(const ServiceSettings& settings,
                    const RegistryImportRequest& request,
                    std::istream& standard_input,
                    const Console& console) {
    if (request.existing != "refuse" && request.existing != "skip") {
        return complain(console, "--existing must be refuse or skip", kWrongUsage);
    }
    const Existing existing = request.existing == "skip" ? Existing::skip : Existing::refuse;
    const auto url = request.to.empty() ? base::Result<config::HttpUrl>() : parse_url("--to", request.to);
    if (!url) {
        return complain(console, url.error().message, kWrongUsage);
    }
    const auto input = open_input(request.file, standard_input);
    if (!input) {
        return complain(console, input.error().message);
    }
    LineReader lines(**input);
    if (const auto checked = lines.check(); !checked) {
        return complain(console, checked.error().context(request.file).message);
    }
    base::Result<ImportReport> report;
    if (request.to.empty()) {
        report = request.is_dry_run ? plan_for_store(lines, settings, existing)
                                    : import_into_store(lines, settings, existing);
    } else {
        registry_client::HttpApi api(to_registry_client_settings(settings, *url));
        report = import_into_server(lines, api, existing, request.is_dry_run);
    }
    if (!report) {
        return complain(console, report.error().message);
    }
    const bool is_server = !request.to.empty();
    return print(
        *report, is_server ? config::to_text(*url) : settings.data_dir, is_server, request.is_dry_run, console);
}

}  // namespace apps
