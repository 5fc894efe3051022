# Of OpenWrt's rules.mk what the package's Makefile takes: who is built for, and how files are put in place.
ARCH_PACKAGES:=$(STUB_ARCHITECTURE)
DL_DIR:=$(TOPDIR)/dl
BUILD_DIR:=$(TOPDIR)/build
INCLUDE_DIR:=$(TOPDIR)/include
CP:=cp -fpR
INSTALL_DIR:=install -d -m0755
INSTALL_BIN:=install -m0755
INSTALL_DATA:=install -m0644
INSTALL_CONF:=install -m0600
RSTRIP:=false
