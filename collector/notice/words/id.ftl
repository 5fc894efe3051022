# Surat

salutation = Yth. { $name },
salutation-nobody = Dengan hormat,
footer = Surel ini dikirim otomatis oleh Takar. Mohon tidak membalas surel ini.
attached = Lampiran: { $names }
open = Buka: { $url }

digest-subject = { $n } pemberitahuan dari Takar
digest-lead = Berikut { $n } pemberitahuan yang perlu Anda ketahui.

# Label

label-uplink = Uplink
label-links = Link
label-lacking = Kekurangan
label-wanted = Kebutuhan
label-gives = Berkurang
label-gets = Bertambah
label-moved = Dipindahkan
label-owner = Penanggung jawab
label-since = Dimulai
label-standard = Waktu standar
label-number = Nomor surat
label-asked = Dikirim
label-capacity = Kapasitas kini
label-request = Kapasitas diminta
label-until = Sampai dengan
label-expires = Tautan berlaku sampai
label-by = Oleh
label-ticket = Nomor tiket
label-promised = Dijanjikan selesai
label-remark = Catatan
label-why = Sebab
label-reason = Alasan
label-report = Nomor laporan
label-amount = Besar pinjaman

# Kata

place = { $uplink }, arah { $direction }
direction-down = unduh
direction-up = unggah
share = { $link } { $amount }
kind-reallocation = re-alokasi bandwidth
kind-addition = penambahan bandwidth
kind-bod = bandwidth on demand
kind-deferral = penundaan
who-takar = Takar
who-policy = kebijakan yang telah disetujui
hours = { $n } jam
minutes = { $n } menit
moment = { $day } { $month } { $year } pukul { $hour }.{ $minute } { $zone }
month-1 = Januari
month-2 = Februari
month-3 = Maret
month-4 = April
month-5 = Mei
month-6 = Juni
month-7 = Juli
month-8 = Agustus
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Desember
step-1 = pengecekan kesesuaian alokasi bandwidth, perangkat, dan kebutuhan user
step-2 = identifikasi dan verifikasi bandwidth
step-3 = koordinasi alokasi/re-alokasi bandwidth
step-4 = pelaksanaan alokasi/re-alokasi bandwidth
step-5 = pembuatan laporan
step-6 = penerimaan laporan

# Hal

case-opened-subject = Kasus { $case } dibuka: { $kind } di { $uplink }
case-opened-lead = Kasus { $case } ({ $kind }) telah dibuka untuk { $place }.
case-opened-todo = Pengecekan dan verifikasi sedang berjalan; belum ada yang diubah.

verified-subject = Kasus { $case } terverifikasi: { $uplink } perlu alokasi/re-alokasi
verified-lead = Hasil verifikasi kasus { $case } menunjukkan bahwa bandwidth di { $place } memang memerlukan alokasi/re-alokasi.
verified-todo = Langkah berikutnya adalah koordinasi alokasi.

proposal-waits-subject = Menunggu persetujuan: usulan { $proposal }, kasus { $case } di { $uplink }
proposal-waits-lead = Usulan { $proposal } dari { $by } untuk { $place } menunggu persetujuan Anda. Selama belum disetujui, tidak ada yang diubah.
proposal-waits-todo = Mohon setujui atau tolak usulan ini.

step-overdue-subject = Terlambat: kasus { $case }, langkah { $step } di { $uplink }
step-overdue-lead = Langkah { $step } kasus { $case }, yaitu { $activity }, telah melewati waktu standarnya.
step-overdue-todo = Mohon selesaikan langkah ini, atau tunda kasusnya dengan menyebutkan alasan.

provider-request-subject = Permintaan kapasitas { $uplink }, nomor { $number }
provider-request-lead = Dengan surat nomor { $number } kami meminta kapasitas { $place } diubah dari { $capacity } menjadi { $wanted }.
provider-request-todo = Mohon jawab permintaan ini melalui tautan berikut, lengkap dengan nomor tiket dan tanggal penyelesaian.
provider-request-reply = Mohon sampaikan jawaban kepada narahubung yang tercantum dalam surat tersebut, lengkap dengan nomor tiket dan tanggal penyelesaian.

provider-reminder-subject = Pengingat: permintaan nomor { $number } belum dijawab
provider-reminder-lead = Permintaan kami nomor { $number } agar kapasitas { $place } menjadi { $wanted } belum kami terima jawabannya.
provider-reminder-todo = Mohon jawab permintaan ini melalui tautan berikut.
provider-reminder-reply = Mohon sampaikan jawaban kepada narahubung yang tercantum dalam surat tersebut.

provider-agreed-subject = { $provider } menyetujui permintaan { $number }, kasus { $case }
provider-agreed-lead = { $provider } menyetujui permintaan nomor { $number } untuk { $place }.
provider-agreed-todo = Setelah kapasitas tersedia, mohon ukur dan catat hasilnya pada kasus { $case }.

provider-refused-subject = { $provider } menolak permintaan { $number }, kasus { $case }
provider-refused-lead = { $provider } menolak permintaan nomor { $number } untuk { $place }.
provider-refused-todo = Mohon tentukan kelanjutan kasus { $case }: ajukan ulang, tunda, atau akhiri.

allocated-subject = Kasus { $case }: alokasi di { $uplink } telah dilaksanakan
allocated-lead = Alokasi di { $place } telah dilaksanakan dan dibaca ulang dari perangkat.
allocated-todo = Laporan kasus { $case } sedang disusun.

rolled-back-subject = Kasus { $case }: perubahan di { $uplink } dibatalkan
rolled-back-lead = Perubahan di { $place } tidak bertahan. Perangkat telah kembali ke nilai semula.
rolled-back-todo = Kasus { $case } kembali ke langkah koordinasi; mohon diperiksa.

report-ready-subject = Laporan { $number } menunggu penerimaan
report-ready-lead = Laporan { $number } tentang kasus { $case } di { $place } telah selesai disusun.
report-ready-todo = Mohon baca dan terima laporan ini.

received-subject = Laporan { $number } telah diterima
received-lead = Laporan { $number } tentang kasus { $case } di { $place } telah diterima dan diarsipkan. Kasus selesai.

loan-begins-subject = Kasus { $case }: pinjaman bandwidth di { $uplink } dimulai
loan-begins-lead = Pinjaman bandwidth di { $place } telah dimulai dan berlaku sampai { $until }. Setelah itu nilai semula dikembalikan secara otomatis.

loan-ends-subject = Kasus { $case }: pinjaman bandwidth di { $uplink } berakhir
loan-ends-lead = Pinjaman bandwidth di { $place } berakhir; nilai semula dikembalikan.

deferral-over-subject = Kasus { $case }: masa penundaan di { $uplink } berakhir
deferral-over-lead = Masa penundaan kasus { $case } di { $place } telah berakhir dan kasus dilanjutkan.
deferral-over-todo = Mohon periksa apakah kapasitas kini tersedia, atau tunda kembali.

mail-trouble-subject = { $n } pemberitahuan tidak terkirim
mail-trouble-lead = { $n } pemberitahuan tidak dapat dikirim dan tidak akan dicoba lagi. Isinya tetap tersimpan pada kasus masing-masing.
mail-trouble-todo = Mohon periksa alamat penerima dan bagian [notice] dalam konfigurasi, lalu beri tahu penerimanya dengan cara lain.

password-changed-subject = Kata sandi akun { $account } telah diubah
password-changed-lead = Kata sandi akun { $account } diubah oleh { $by } pada { $at }.
password-changed-todo = Jika Anda tidak mengetahui perubahan ini, segera hubungi pengelola Takar.
