# Third-party libraries under short names; ARCHITECTURE.md says why each is here. All are Debian 12 packages.
if(HOKUSAI_PACKAGE)
    set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
    set(Boost_USE_STATIC_LIBS ON)
    set(OPENSSL_USE_STATIC_LIBS ON)
endif()
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_library(SQLITECPP_LIBRARY SQLiteCpp REQUIRED)
find_library(SQLITE3_LIBRARY sqlite3 REQUIRED)

# Asio is compiled once here instead of in every translation unit.
add_library(third_party_asio STATIC ${CMAKE_SOURCE_DIR}/cmake/asio.cpp)
target_link_libraries(third_party_asio PUBLIC hokusai_options Threads::Threads)

add_library(third_party_fmt INTERFACE)
add_library(third_party_spdlog INTERFACE)
if(NOT HOKUSAI_PACKAGE)  # which takes both as headers only: Debian has no static libraries of them
    target_link_libraries(third_party_fmt INTERFACE fmt::fmt)
    target_link_libraries(third_party_spdlog INTERFACE spdlog::spdlog)
endif()
add_library(third_party_openssl INTERFACE)
target_link_libraries(third_party_openssl INTERFACE OpenSSL::SSL OpenSSL::Crypto)
add_library(third_party_json INTERFACE)
target_link_libraries(third_party_json INTERFACE Boost::json)
add_library(third_party_sqlite INTERFACE)
target_link_libraries(third_party_sqlite INTERFACE ${SQLITECPP_LIBRARY} ${SQLITE3_LIBRARY})
# Header-only: nothing to link, the name documents the dependency.
add_library(third_party_toml INTERFACE)
add_library(third_party_cli INTERFACE)
