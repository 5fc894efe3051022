# Of OpenWrt's package.mk and package-pack.mk: a source is fetched and held against its digest, prepared, and installed
# below root/; conffiles that are no files of the package are kept in upgrades. With DUMP=1 only the description is read.
PKG_BUILD_DIR:=$(BUILD_DIR)/$(PKG_NAME)-$(PKG_VERSION)

define BuildPackage
  $(eval $(Package/$(1)))
  $(foreach field,TITLE CATEGORY SECTION DEPENDS PKG_VERSION PKG_RELEASE,$(if $($(field)),,$(error Package/$(1): no $(field))))
  ifeq ($(DUMP),)
    all:
	mkdir -p $(DL_DIR)
	cp $(patsubst file://%,%,$(PKG_SOURCE_URL))/$(PKG_SOURCE) $(DL_DIR)/$(PKG_SOURCE)
	echo "$(PKG_HASH)  $(DL_DIR)/$(PKG_SOURCE)" | sha256sum --quiet -c
	$(Build/Prepare)
	$(Build/Compile)
	$(call Package/$(1)/install,$(TOPDIR)/root)
	$(RSTRIP) $(TOPDIR)/root
	for file in $(strip $(Package/$(1)/conffiles)); do \
	  [ -f "$(TOPDIR)/root/$$$$file" ] || { mkdir -p $(TOPDIR)/root/lib/upgrade/keep.d; echo "$$$$file" >>$(TOPDIR)/root/lib/upgrade/keep.d/$(1); }; \
	done
  else
    all:
	@echo "$(1) $(PKG_VERSION)-$(PKG_RELEASE) $(SECTION) $(CATEGORY) $(DEPENDS)"
  endif
endef
