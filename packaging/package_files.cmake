# Run by cpack before it packs: what a Debian package has beside what is installed.
set(root "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr")
file(MAKE_DIRECTORY "${root}/share/lintian/overrides")
configure_file("${CPACK_ISOCHRON_SOURCE}/lintian-overrides" "${root}/share/lintian/overrides/isochron" COPYONLY)
configure_file("${CPACK_ISOCHRON_SOURCE}/changelog" "${root}/share/doc/isochron/changelog" COPYONLY)
execute_process(COMMAND gzip -9nf "${root}/share/doc/isochron/changelog" COMMAND_ERROR_IS_FATAL ANY)
# Whatever the umask was.
file(CHMOD_RECURSE "${root}"
     DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
file(CHMOD "${root}/share/lintian/overrides/isochron" "${root}/share/doc/isochron/changelog.gz"
     PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
