#!/bin/sh
# The init of the guest. The host's / is its root, read-only; $TAKAR_SHARE is a folder of the host that it may write to,
# under the same path. It runs the files N.job there one after the other, until it is ended.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mount -t hostfs none "$TAKAR_SHARE" -o "$TAKAR_SHARE"
cd "$TAKAR_SHARE" || exit 1
export HOME=$TAKAR_SHARE TMPDIR=$TAKAR_SHARE
for module in net/sched/sch_cake net/sched/sch_ingress net/sched/cls_u32 net/sched/act_mirred drivers/net/ifb drivers/net/veth; do
  insmod "/usr/lib/uml/modules/$(uname -r)/kernel/$module.ko" || echo "no module $module"
done
ip link set lo up
echo >ready
next=1
while :; do
  if [ -e $next.job ]; then
    sh $next.job >$next.out 2>&1 </dev/null
    echo $? >$next.ending
    mv $next.ending $next.status
    next=$((next + 1))
  else
    sleep 0.02
  fi
done
