#!/usr/bin/env ruby
# frozen_string_literal: true

# Translates the lines of standard input through one long-lived asyncbatch.
#
#     printf 'Good morning\nGood night\n' | ./translate.rb --target-lang fr
#
# Arguments go to `asyncbatch run`; ASYNCBATCH names the command.  Needs the
# gem msgpack (Debian: ruby-msgpack).

require 'msgpack'

command = [ENV.fetch('ASYNCBATCH', 'asyncbatch'), 'run',
           '--input-format', 'msgpack', '--output-format', 'msgpack',
           '--task', 'translate', *ARGV]

IO.popen(command, 'r+b') do |stream|
  # In a thread of its own: asyncbatch reads no more input while nobody takes
  # its answers.
  Thread.new do
    packer = MessagePack::Packer.new(stream)
    $stdin.each_line(chomp: true).with_index do |text, number|
      packer.write({ 'id' => number, 'text' => text })
    end
    packer.write({ 'op' => 'stats' }).flush
    stream.close_write # no more requests; the answers still owed come
  rescue Errno::EPIPE
    # it has ended early and says why on standard error
  end

  MessagePack::Unpacker.new(stream).each do |answer|
    if answer['op']
      warn "so far: #{answer['processed_texts']} of #{answer['total_texts']}"
    elsif answer['status'] == 'ok'
      puts "#{answer['id']}\t#{answer['output']}"
    else
      warn "#{answer['id']}\t#{answer['error']['message']}"
    end
  end
end
exit $?.exitstatus
