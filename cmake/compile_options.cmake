# Flags of every target of ours: hokusai_options for all code, hokusai_warnings for code we wrote.
add_library(hokusai_options INTERFACE)
target_compile_definitions(hokusai_options INTERFACE
    BOOST_ASIO_SEPARATE_COMPILATION
    BOOST_ASIO_NO_DEPRECATED
    BOOST_ALL_NO_LIB
    $<IF:$<BOOL:${HOKUSAI_PACKAGE}>,FMT_HEADER_ONLY,SPDLOG_COMPILED_LIB>
    SPDLOG_FMT_EXTERNAL
    $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
# Without time stamps in precompiled headers an upgraded system package does not break the next incremental build.
target_compile_options(hokusai_options INTERFACE -g1 -fno-omit-frame-pointer "SHELL:-Xclang -fno-pch-timestamp")
target_link_options(hokusai_options INTERFACE -fuse-ld=mold)

if(HOKUSAI_SANITIZE)
    target_compile_options(hokusai_options INTERFACE -fsanitize=${HOKUSAI_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(hokusai_options INTERFACE -fsanitize=${HOKUSAI_SANITIZE})
endif()
if(HOKUSAI_FUZZ)
    target_compile_options(hokusai_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(HOKUSAI_COVERAGE)
    target_compile_options(hokusai_options INTERFACE -fprofile-instr-generate -fcoverage-mapping)
    target_link_options(hokusai_options INTERFACE -fprofile-instr-generate)
endif()
if(HOKUSAI_PACKAGE)
    target_compile_options(hokusai_options INTERFACE
        -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
        -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
    if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
        target_compile_options(hokusai_options INTERFACE -fcf-protection=full)
    endif()
    target_link_options(hokusai_options INTERFACE
        -pie -static-libstdc++ -static-libgcc -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--build-id=sha1)
endif()

add_library(hokusai_warnings INTERFACE)
target_compile_options(hokusai_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Werror)

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
